using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>
/// The fields that select leases, for lists and for revocations: all that are set must hold. Admins, the command line,
/// the broker's policy and its store know the same fields; a test compares them.
/// </summary>
public abstract record LeaseSelection
{
    private protected LeaseSelection() { }

    /// <summary>One lease.</summary>
    [JsonPropertyOrder(-1)]
    public string? Lease { get; init; }

    /// <summary>An entry of the policy's <c>agents</c>.</summary>
    [JsonPropertyOrder(-1)]
    public string? Agent { get; init; }

    /// <summary>The workload's name.</summary>
    [JsonPropertyOrder(-1)]
    public string? Workload { get; init; }

    /// <summary>One running instance.</summary>
    [JsonPropertyOrder(-1)]
    public string? Instance { get; init; }

    /// <summary>The token's subject.</summary>
    [JsonPropertyOrder(-1)]
    public string? Subject { get; init; }

    /// <summary>A task's id.</summary>
    [JsonPropertyOrder(-1)]
    public string? Task { get; init; }

    /// <summary>A business process.</summary>
    [JsonPropertyOrder(-1)]
    public string? Process { get; init; }

    /// <summary>A catalogue entry.</summary>
    [JsonPropertyOrder(-1)]
    public string? Credential { get; init; }

    /// <summary>The process owner's subject.</summary>
    [JsonPropertyOrder(-1)]
    public string? Owner { get; init; }

    /// <summary>The identity's issuer.</summary>
    [JsonPropertyOrder(-1)]
    public string? Issuer { get; init; }

    /// <summary>The SPIFFE trust domain.</summary>
    [JsonPropertyOrder(-1)]
    public string? TrustDomain { get; init; }

    /// <summary>The fields by their names on the wire, set or not.</summary>
    private protected IEnumerable<(string Name, string? Value)> Fields() =>
        [
            ("lease", Lease),
            ("agent", Agent),
            ("workload", Workload),
            ("instance", Instance),
            ("subject", Subject),
            ("task", Task),
            ("process", Process),
            ("credential", Credential),
            ("owner", Owner),
            ("issuer", Issuer),
            ("trustDomain", TrustDomain),
        ];
}
