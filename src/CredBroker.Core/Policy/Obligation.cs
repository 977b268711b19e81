namespace CredBroker.Core.Policy;

/// <summary>
/// What comes with an allow: something that must hold before, or as long as, the secret is used. The list is closed: a
/// new kind is a record here and a line in <see cref="ObligationFold"/>. One that the broker cannot meet is a denial.
/// </summary>
public abstract record Obligation
{
    private Obligation() { }

    /// <summary>A person approves this exact request first.</summary>
    public sealed record NeedsApproval : Obligation
    {
        /// <summary>The only one there is: it says nothing more.</summary>
        public static readonly NeedsApproval Instance = new();
    }

    /// <summary>The secret's whole life, renewals included, is bounded.</summary>
    /// <param name="MaxTtl">The bound.</param>
    public sealed record LivesAtMost(TimeSpan MaxTtl) : Obligation;
}
