namespace CredBroker.Core.State;

/// <summary>Reads what idempotency keys were used for.</summary>
public interface IIdempotencyReader
{
    /// <summary>What this key of this caller was used for in the last 24 hours, or null.</summary>
    ValueTask<IdempotencyRecord?> FindAsync(
        string callerKey,
        string idempotencyKey,
        CancellationToken cancellationToken
    );
}
