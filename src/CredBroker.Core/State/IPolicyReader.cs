namespace CredBroker.Core.State;

/// <summary>Reads the policy versions that were applied.</summary>
public interface IPolicyReader
{
    /// <summary>The newest applied policy, or null before the first. A damaged one has a document without text.</summary>
    ValueTask<AppliedPolicyRecord?> FindNewestAsync(CancellationToken cancellationToken);

    /// <summary>One version, or null. A damaged one has a document without text.</summary>
    ValueTask<AppliedPolicyRecord?> FindAsync(long version, CancellationToken cancellationToken);

    /// <summary>The newest version that had this content; null where it never was one.</summary>
    ValueTask<long?> FindVersionOfAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Versions with a lower number than this, newest first, without their documents' text.</summary>
    ValueTask<IReadOnlyList<AppliedPolicyRecord>> ListAsync(
        long before,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// The first applied policy with a higher number than this, or null. A damaged one has a document without text.
    /// </summary>
    ValueTask<AppliedPolicyRecord?> FindNextAsync(long after, CancellationToken cancellationToken);
}
