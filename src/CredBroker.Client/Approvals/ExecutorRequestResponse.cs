namespace CredBroker.Client;

/// <summary>One approved request that the caller may redeem.</summary>
public sealed record ExecutorRequestResponse
{
    /// <summary>What the approvers saw, and who of them agreed.</summary>
    public required ApprovalResponse Approval { get; init; }

    /// <summary>
    /// The body of <c>POST /v1/credentials</c> that redeems it. For a certificate the executor adds a <c>csr</c> of its own.
    /// </summary>
    public required ExchangeRequest Body { get; init; }
}
