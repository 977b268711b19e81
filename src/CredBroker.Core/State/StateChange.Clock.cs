namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// The store's clock takes the word of the broker's, also where that lies behind it. Times that lie ahead of it then
    /// and would hold work up (next attempts, claims) are drawn back; a new audit stream begins, because within one time
    /// never goes back. No guard.
    /// </summary>
    public sealed record ClockRepaired : Transition;
}
