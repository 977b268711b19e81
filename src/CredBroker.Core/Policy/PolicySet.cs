using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Policy;

/// <summary>A policy document, parsed and compiled once: an immutable snapshot that decides purely.</summary>
public sealed class PolicySet
{
    /// <summary>SHA-256 of the document and its schemas, lower-case hex.</summary>
    public required string Hash { get; init; }

    /// <summary>The catalogue by name.</summary>
    public required IReadOnlyDictionary<string, CatalogueEntry> Credentials { get; init; }

    /// <summary>The processes by name.</summary>
    public required IReadOnlyDictionary<string, BusinessProcess> Processes { get; init; }

    /// <summary>Whether the identity may claim the process, and as which agent.</summary>
    public Admission Admit(WorkloadIdentity identity, string process) => throw new NotSupportedException($"{Hash}{identity}{process}");

    /// <summary>Decides a request. Pure: no I/O, no clock.</summary>
    public Decision Evaluate(WorkloadIdentity identity, AgentTask task, CredentialRequest request) =>
        throw new NotSupportedException($"{Hash}{identity}{task}{request}");
}
