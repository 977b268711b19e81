namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// An event without a change: an agent's report, a refused policy edit, counted refusals, an admin's dry run. No
    /// guard.
    /// </summary>
    public sealed record EventRecorded : Transition;
}
