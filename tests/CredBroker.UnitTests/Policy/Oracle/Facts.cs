using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.UnitTests.Policy.Oracle;

/// <summary>What one condition is asked about, by the names that conditions read.</summary>
internal sealed record Facts
{
    public required WorkloadIdentity Identity { get; init; }

    public string Agent { get; init; } = "";

    public AgentTask Task { get; init; } = new("", "", "");

    public CredentialRequest? Request { get; init; }

    public ModelCredential? Credential { get; init; }

    public ModelProcess? Process { get; init; }

    public bool Reversible { get; init; }

    public TimeSpan Ttl { get; init; }

    public IReadOnlyList<string> FailedGate { get; init; } = [];
}
