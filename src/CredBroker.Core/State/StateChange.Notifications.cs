namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// A broker takes a notification up to send it; no other does so before the time is over. Guard: it is due, and was
    /// taken up exactly so often. It has no event: nothing has happened yet.
    /// </summary>
    public sealed record NotificationTaken : Transition
    {
        /// <summary>The notification.</summary>
        public required string NotificationId { get; init; }

        /// <summary>How often it had been taken up.</summary>
        public required int Attempts { get; init; }

        /// <summary>How long it is the broker's.</summary>
        public required TimeSpan For { get; init; }
    }

    /// <summary>
    /// It was sent, as far as it was. Guard: nobody has taken it up since. Without <see cref="Again"/> it is over: gone
    /// where it has no error, else kept as failed, with an event.
    /// </summary>
    public sealed record NotificationSettled : Transition
    {
        /// <summary>The notification.</summary>
        public required string NotificationId { get; init; }

        /// <summary>How often it has been taken up, this time included.</summary>
        public required int Attempts { get; init; }

        /// <summary>The names of the addresses that have it now.</summary>
        public required IReadOnlyList<string> SentTo { get; init; }

        /// <summary>What kept it from the others; empty where nothing did.</summary>
        public required string Error { get; init; }

        /// <summary>After how long it is sent again; null where it is not.</summary>
        public TimeSpan? Again { get; init; }
    }

    /// <summary>
    /// Notifications that are kept too long leave the store: those given up, and those that no broker has taken up. It has
    /// no event: what they would tell was told. No guard.
    /// </summary>
    public sealed record NotificationsDropped : Transition
    {
        /// <summary>Of those given up, the ones that are older.</summary>
        public required DateTimeOffset FailedBefore { get; init; }

        /// <summary>Of the others, the ones that are older.</summary>
        public required DateTimeOffset AskedBefore { get; init; }

        /// <summary>How many at most.</summary>
        public required int Limit { get; init; }
    }
}
