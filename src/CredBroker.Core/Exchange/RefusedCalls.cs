namespace CredBroker.Core.Exchange;

/// <summary>Records calls that were refused before their caller was verified: one by one up to a rate per source, then counted.</summary>
public sealed class RefusedCalls
{
    /// <summary>Records or counts one refused call. Never throws for a store that does not accept: the refusal stands without it.</summary>
    public ValueTask RecordAsync(Refusal refusal, CallContext call, CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");

    /// <summary>Writes what was counted since the last time as one event. Called each minute.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => throw new NotSupportedException("Not built yet.");
}
