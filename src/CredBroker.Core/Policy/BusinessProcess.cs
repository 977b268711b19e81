using System.Text.Json.Serialization;

namespace CredBroker.Core.Policy;

/// <summary>
/// A registered business process: who owns it, whether it tolerates runtime action, and which agents may claim it.
/// </summary>
public sealed record BusinessProcess
{
    /// <summary>Its name in the policy document.</summary>
    public required string Name { get; init; }

    /// <summary>The person who answers for it; null when none is named.</summary>
    public ProcessOwner? Owner { get; init; }

    /// <summary>Whether the owner is gone: then nobody answers for it until policy names another one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsOwnerGone { get; init; }

    /// <summary>Whether what its agents hold is revoked when its owner goes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool RevokesWhenOwnerGoes { get; init; }

    /// <summary>Whether somebody answers for it.</summary>
    [JsonIgnore]
    public bool HasOwner => Owner is not null && !IsOwnerGone;

    /// <summary>Whether the process tolerates that agents act at run time on their own.</summary>
    public required bool ToleratesRuntimeAction { get; init; }

    /// <summary>Names of the agents that may claim it; nobody else may.</summary>
    public required IReadOnlyList<string> Agents { get; init; }

    /// <summary>Credentials whose unreachable revocation the owner accepts.</summary>
    public IReadOnlyList<string> AcceptsUnrevocable { get; init; } = [];
}

/// <summary>A process owner: a person, compared as (issuer, subject), and where to reach them.</summary>
public sealed record ProcessOwner(string Issuer, string Subject, string Contact);
