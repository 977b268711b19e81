namespace CredBroker.Server.Notifications;

/// <summary>What an address made of a message.</summary>
/// <param name="Why">Why it was not taken, in words that may be kept; null where it was.</param>
/// <param name="RetryAfter">For how long it asks to be left alone; null where it does not.</param>
/// <param name="IsGone">Whether it says that there is nobody any more.</param>
internal sealed record SendingOutcome(string? Why, TimeSpan? RetryAfter = null, bool IsGone = false)
{
    /// <summary>It was taken.</summary>
    public static readonly SendingOutcome Taken = new((string?)null);
}
