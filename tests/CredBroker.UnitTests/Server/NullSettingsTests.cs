using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace CredBroker.UnitTests.Server;

/// <summary>A null in the settings' file, wherever it stands, is a fault with a name and no crash at the start.</summary>
public sealed class NullSettingsTests
{
    /// <summary>Every member of every section, and every list and object on the way to it.</summary>
    public static TheoryData<string> Members => [.. All];

    private static readonly string[] All =
    [
        .. BrokerSettings
            .Sections.SelectMany(section => SettingsShape.Paths(section.Value, section.Key))
            .SelectMany(Prefixes)
            .Distinct(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Members))]
    public void Null_is_told_where_it_stands_and_crashes_nothing(string path)
    {
        var parts = path.Split(':');
        var isTold = Faults(parts).Any(fault => fault.StartsWith(Named(parts), StringComparison.Ordinal));
        // An object that holds nothing has its defaults; two settings have no value unless they are set.
        var isObject = All.Any(other =>
            other.StartsWith($"{path}:", StringComparison.Ordinal) && other[path.Length + 1] != '*'
        );
        Assert.True(isTold || isObject || parts[^1] is "MaxTokenLifetime" or "KeepFor");
    }

    [Theory]
    [InlineData("Identity:Issuers:*:Jwks:File", "Identity:Issuers:0:Jwks:File is null; write text, or leave it out.")]
    [InlineData("Identity:Issuers:*:Claims", "Identity:Issuers:0:Claims is null; write a list, or leave it out.")]
    [InlineData("Identity:Issuers:*:Roles", "Identity:Issuers:0:Roles is null; write an object, or leave it out.")]
    [InlineData("Identity:Issuers:*", "Identity:Issuers:0 holds nothing: write its settings, or take it out.")]
    [InlineData(
        "Identity:Issuers:*:Claims:*",
        "Identity:Issuers:0:Claims:0 holds nothing: write text, or take it out."
    )]
    [InlineData("Jobs:Anchor", "Jobs:Anchor is null; write a time")]
    public void A_null_says_what_to_write(string path, string fault) =>
        Assert.Contains(Faults(path.Split(':')), told => told.StartsWith(fault, StringComparison.Ordinal));

    private static List<string> Faults(string[] parts)
    {
        var root = new JsonObject();
        JsonNode at = root;
        for (var place = 0; place < parts.Length; place++)
        {
            var isLast = place == parts.Length - 1;
            JsonNode? next = (isLast, isLast ? "" : parts[place + 1]) switch
            {
                (true, _) => null,
                (_, "*") => new JsonArray(),
                _ => new JsonObject(),
            };
            if (at is JsonArray list)
            {
                list.Add(next);
            }
            else
            {
                at[parts[place]] = next;
            }

            at = next!;
        }

        using var json = new MemoryStream(Encoding.UTF8.GetBytes(root.ToJsonString()));
        try
        {
            BrokerSettings.Read(new ConfigurationBuilder().AddJsonStream(json).Build(), devMode: false);
            return [];
        }
        catch (SettingsFaultsException e)
        {
            return [.. e.Faults];
        }
    }

    private static string Named(string[] parts) => string.Join(':', parts).Replace("*", "0", StringComparison.Ordinal);

    private static IEnumerable<string> Prefixes(string path)
    {
        var parts = path.Split(':');
        return Enumerable.Range(1, parts.Length).Select(length => string.Join(':', parts[..length]));
    }
}
