namespace CredBroker.Vault.Check;

/// <summary>One thing that was looked at.</summary>
/// <param name="Passed">Whether it is as it must be.</param>
/// <param name="What">What was looked at.</param>
/// <param name="Detail">What is wrong, and the cure; empty when nothing is.</param>
public sealed record CheckFinding(bool Passed, string What, string Detail = "")
{
    /// <summary>
    /// Whether the login that looked makes the look worthless: a root token may do everything. It has not passed then.
    /// </summary>
    public bool MeansNothing { get; init; }

    /// <summary>The same as the login of a root token sees it, of whose rights it says nothing.</summary>
    internal CheckFinding AsRoot() =>
        this with
        {
            Passed = false,
            MeansNothing = true,
            Detail =
                "A root token may do everything: this says nothing of the broker's own. Look with the broker's login.",
        };
}
