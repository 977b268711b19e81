using System.Text.Json.Serialization;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>What an allow decision grants.</summary>
public sealed record Grant
{
    /// <summary>The resolved catalogue entry.</summary>
    public required CatalogueEntry Entry { get; init; }

    /// <summary>The process it is for, with its owner.</summary>
    public required BusinessProcess Process { get; init; }

    /// <summary>The life of the secret at issuance.</summary>
    public required TimeSpan Ttl { get; init; }

    /// <summary>The secret's whole life, renewals included: the smaller of rule and catalogue.</summary>
    public required TimeSpan MaxTtl { get; init; }

    /// <summary>Whether the request asked for more than was granted.</summary>
    public required bool TtlCut { get; init; }
}
