namespace CredBroker.Core.State;

/// <summary>Reads who is gone. Every member sees what is committed, and nothing else.</summary>
public interface IOwnerReader
{
    /// <summary>Everybody who is gone and did not come back, the newest first.</summary>
    ValueTask<IReadOnlyList<OwnerRetirement>> ListRetiredAsync(CancellationToken cancellationToken);
}
