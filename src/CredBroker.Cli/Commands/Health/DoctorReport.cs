using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Cli.Commands.Health;

/// <summary>
/// What <c>doctor</c> found, in the order of its checks. After a check on which the next ones rest has failed, they are
/// left out.
/// </summary>
internal sealed record DoctorReport
{
    public required IReadOnlyList<DoctorCheck> Checks { get; init; }

    /// <summary>The token as it says of itself; null where there is none.</summary>
    public UnverifiedToken? Token { get; init; }

    [JsonIgnore]
    public DoctorCheck? FirstFault => Checks.FirstOrDefault(check => !check.Ok);

    /// <summary>The report without what is another at every look.</summary>
    public DoctorReport ToLasting() =>
        this with
        {
            Checks = [.. Checks.Select(check => check with { Found = check.Lasting ?? check.Found })],
        };
}

/// <summary>One check.</summary>
/// <param name="Name">What was looked at.</param>
/// <param name="Ok">Whether it is well.</param>
/// <param name="Found">What was found.</param>
/// <param name="Cure">What to do; null where it is well.</param>
internal sealed record DoctorCheck(string Name, bool Ok, string Found, string? Cure = null)
{
    /// <summary><see cref="Found"/> without what is of this one look; null where it is all the same.</summary>
    [JsonIgnore]
    public string? Lasting { get; init; }
}

/// <summary>A token's header and claims, decoded and not verified.</summary>
internal sealed record UnverifiedToken(
    string Source,
    IReadOnlyDictionary<string, JsonElement> Header,
    IReadOnlyDictionary<string, JsonElement> Claims
);
