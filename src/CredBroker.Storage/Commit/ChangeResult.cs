using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Storage.Commit;

/// <summary>What a change did within the transaction.</summary>
/// <param name="Failure">The guard that failed, if one did: whatever the change wrote is rolled back.</param>
/// <param name="Number">The number that it was given, where changes of its kind have one.</param>
/// <param name="IsRecorded">Whether its event is recorded.</param>
/// <param name="Breach">Which limit, where that is the guard.</param>
internal readonly record struct ChangeResult(
    GuardFailure? Failure,
    long Number = 0,
    bool IsRecorded = true,
    LimitBreach? Breach = null
)
{
    /// <summary>It holds, and its event is recorded.</summary>
    public static readonly ChangeResult Done = new(null);

    /// <summary>It holds, has changed nothing, and so there is nothing to record.</summary>
    public static readonly ChangeResult Nothing = new(null, IsRecorded: false);

    public static implicit operator ChangeResult(GuardFailure failure) => new(failure);
}
