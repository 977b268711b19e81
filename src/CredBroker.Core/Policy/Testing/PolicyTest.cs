using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy.Testing;

/// <summary>A supposed request, and the decision that the policy's author expects of it.</summary>
/// <param name="Name">What the policy is meant to do, as a sentence.</param>
/// <param name="Line">Where it begins in its file, from 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="Identity">Who would ask, as it would have been verified.</param>
/// <param name="Task">For which task.</param>
/// <param name="Request">What for.</param>
/// <param name="Expected">The decision.</param>
public sealed record PolicyTest(
    string Name,
    int Line,
    int Column,
    WorkloadIdentity Identity,
    AgentTask Task,
    CredentialRequest Request,
    PolicyExpectation Expected
);

/// <summary>What is expected of a decision. What is null is not compared.</summary>
/// <param name="Effect">Allow, challenge or deny.</param>
public sealed record PolicyExpectation(PolicyEffect Effect)
{
    /// <summary>The rule that decides.</summary>
    public string? Rule { get; init; }

    /// <summary>The life that is granted, or would be once approved.</summary>
    public TimeSpan? Ttl { get; init; }

    /// <summary>
    /// What the agent is told. Has to be named where a request never comes to the rules: a misspelt name would otherwise
    /// pass for a denial that was meant.
    /// </summary>
    public string? Code { get; init; }

    /// <summary>Everybody who may approve it, in any order; the process's owner among them is null.</summary>
    public IReadOnlyList<Approver?>? Approvers { get; init; }

    /// <summary>How many people have to agree: the most that one rule asks for.</summary>
    public int? Quorum { get; init; }

    /// <summary>The longest time box that people may give with their yes.</summary>
    public TimeSpan? TimeBox { get; init; }

    /// <summary>The agent that alone may redeem the approval.</summary>
    public string? Executor { get; init; }
}
