namespace CredBroker.Client;

/// <summary>
/// Nothing was issued: people are asked first. <see cref="AgentClient.ExchangeWhenApprovedAsync"/> waits for them;
/// whoever waits otherwise redeems by the same request with <see cref="ExchangeRequest.ApprovalId"/>.
/// </summary>
/// <param name="request">The question.</param>
public sealed class ApprovalRequiredException(ApprovalRequestResponse request)
    : Exception($"People have to approve this first: request {request?.ApprovalId}.")
{
    /// <summary>The question.</summary>
    public ApprovalRequestResponse Request { get; } = request ?? throw new ArgumentNullException(nameof(request));
}
