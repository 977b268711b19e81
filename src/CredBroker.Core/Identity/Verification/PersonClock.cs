namespace CredBroker.Core.Identity.Verification;

/// <summary>By which clock a person's token is judged where the broker's and its store's disagree.</summary>
public enum PersonClock
{
    /// <summary>The broker's: for what is only read.</summary>
    Brokers,

    /// <summary>
    /// One that is in time by either is taken: for what takes secrets away, and the repair of the clock, of which nothing is
    /// to be refused for a clock's sake.
    /// </summary>
    Either,

    /// <summary>
    /// The one that is ahead: for what gives something back. The store's clock never goes back, so that one of the host's
    /// that was set back makes no token new.
    /// </summary>
    Later,
}
