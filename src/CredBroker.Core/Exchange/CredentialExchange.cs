namespace CredBroker.Core.Exchange;

/// <summary>The exchange: identity in, short-lived secret out.</summary>
public sealed class CredentialExchange
{
    /// <summary>Runs one exchange.</summary>
    public ValueTask<ExchangeOutcome> ExchangeAsync(ExchangeCommand command, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");
}
