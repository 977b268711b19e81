using System.Reflection;
using System.Text;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Dev;

/// <summary>The policy that dev mode starts with.</summary>
public static class DevPolicy
{
    private const string Resource = "dev-policy.yaml";

    /// <summary>Its text, with the dev issuer's address filled in.</summary>
    public static string Text(string issuer)
    {
        using var stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The resource {Resource} is missing.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().Replace("$DEV_ISSUER", issuer, StringComparison.Ordinal);
    }

    /// <summary>The catalogue of a policy text. It is our own: a fault in it is a fault of this program.</summary>
    public static IReadOnlyCollection<CatalogueEntry> Catalogue(string text)
    {
        var compilation = PolicyCompiler.Compile(new PolicyDocument { Name = Resource, Text = text });
        return compilation.Set is { } set
            ? [.. set.Credentials.Values]
            : throw new InvalidOperationException(
                $"The dev policy has faults: {string.Join("; ", compilation.Faults)}"
            );
    }
}
