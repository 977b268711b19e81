namespace CredBroker.Core.State;

/// <summary>Reads what is to be sent outside. Every member sees what is committed, and nothing else.</summary>
public interface INotificationReader
{
    /// <summary>What is due now and that nobody is sending, the longest due first.</summary>
    ValueTask<IReadOnlyList<Notification>> FindDueAsync(int limit, CancellationToken cancellationToken);

    /// <summary>How many were given up and are still kept, to be seen.</summary>
    ValueTask<long> CountFailedAsync(CancellationToken cancellationToken);
}
