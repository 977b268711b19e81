using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>What became of an agent's call about a lease.</summary>
public abstract record LeaseOutcome
{
    private LeaseOutcome() { }

    /// <summary>The lease as it stands after the call.</summary>
    public sealed record Found(Lease Lease) : LeaseOutcome;

    /// <summary>Refused.</summary>
    public sealed record Refused(Refusal Refusal) : LeaseOutcome;
}

/// <summary>An agent's report of what it did: a statement, recorded as such.</summary>
/// <param name="Status"><c>succeeded</c>, <c>failed</c> or <c>abandoned</c>.</param>
/// <param name="Summary">At most 2,000 characters.</param>
/// <param name="ToolCall">The tool call as it was made.</param>
public sealed record TaskOutcome(string Status, string Summary, ToolCall? ToolCall);
