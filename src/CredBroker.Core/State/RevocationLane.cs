namespace CredBroker.Core.State;

/// <summary>
/// In what order revocations at one backend are carried out. What is tried for the first time never waits for what has
/// failed before.
/// </summary>
public enum RevocationLane
{
    /// <summary>An admin ordered it.</summary>
    Emergency,

    /// <summary>Policy no longer allows it.</summary>
    PolicyChange,

    /// <summary>It ended: by its time, with its task, or because its agent gave it back.</summary>
    Ending,

    /// <summary>It failed before, or its issuance was cut short.</summary>
    Retry,
}
