namespace CredBroker.Core.State;

/// <summary>Reads the policy versions that were applied.</summary>
public interface IPolicyReader
{
    /// <summary>The newest applied policy, or null before the first.</summary>
    ValueTask<AppliedPolicyRecord?> FindNewestAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The first applied policy with a higher number than this, or null. A damaged one has a document without text.
    /// </summary>
    ValueTask<AppliedPolicyRecord?> FindNextAsync(long after, CancellationToken cancellationToken);
}
