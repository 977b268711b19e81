using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>What the calling agent may ask of one credential, for one process.</summary>
public sealed record CatalogueOfferResponse
{
    /// <summary>The credential's name.</summary>
    public required string Credential { get; init; }

    /// <summary>The process.</summary>
    public required string Process { get; init; }

    /// <summary>The policy's name for the agent in it.</summary>
    public required string Agent { get; init; }

    /// <summary><c>allow</c>, <c>challenge</c> (a person would be asked) or <c>depends</c> (on what <see cref="DependsOn"/> names).</summary>
    public required string Decision { get; init; }

    /// <summary>The actions that the credential offers.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>The longest life that may be granted, renewals included; where it depends, it may be less.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public required TimeSpan MaxTtl { get; init; }

    /// <summary>Whether a lease of it can be renewed.</summary>
    public required bool Renewable { get; init; }

    /// <summary>How the secret can be handed over.</summary>
    public required IReadOnlyList<string> Delivery { get; init; }

    /// <summary>What makes the secret: <c>database</c>, <c>dynamic</c>, <c>pki</c>, <c>kv</c> or <c>token</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>
    /// The parameters that a request has to name, and the pattern that each whole value has to match; absent where there are
    /// none.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Params { get; init; }

    /// <summary>Who would be asked, by role or group, <c>owner</c> for the process's, <c>person</c> for another; absent where nobody is for certain.</summary>
    public IReadOnlyList<string>? Asks { get; init; }

    /// <summary>What of the request it depends on, such as <c>request.actions</c>; absent where it depends on nothing.</summary>
    public IReadOnlyList<string>? DependsOn { get; init; }
}
