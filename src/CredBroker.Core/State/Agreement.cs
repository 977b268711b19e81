namespace CredBroker.Core.State;

/// <summary>One person's yes to one question.</summary>
/// <param name="Issuer">The person's issuer.</param>
/// <param name="Subject">The person's subject.</param>
/// <param name="Demands">
/// Which of the question's demands the person might agree to when they did, by their place in
/// <see cref="Approval.Demands"/>: by what their token said then.
/// </param>
/// <param name="At">When, by the store's clock.</param>
public sealed record Agreement(string Issuer, string Subject, IReadOnlyList<int> Demands, DateTimeOffset At)
{
    /// <summary>The time box that they gave with it; null where they gave none.</summary>
    public TimeSpan? TimeBox { get; init; }
}
