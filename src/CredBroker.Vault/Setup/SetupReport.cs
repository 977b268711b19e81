namespace CredBroker.Vault.Setup;

/// <summary>How Vault stands to a plan, step by step.</summary>
public sealed record SetupReport(IReadOnlyList<SetupFinding> Findings)
{
    /// <summary>Whether Vault holds everything as planned.</summary>
    public bool IsComplete =>
        Findings.All(finding => finding.State is SetupState.Present or SetupState.Made or SetupState.Updated);

    /// <summary>Whether nothing had to be, or was, written.</summary>
    public bool IsUnchanged => Findings.All(finding => finding.State is SetupState.Present);
}

/// <summary>One step's finding.</summary>
/// <param name="Step">The step.</param>
/// <param name="State">How Vault stands to it.</param>
/// <param name="Details">
/// For a difference: each member as it is and as it should be. For a failure: Vault's words.
/// </param>
public sealed record SetupFinding(SetupStep Step, SetupState State, IReadOnlyList<string> Details)
{
    /// <summary>The members that say something else, where that is known.</summary>
    internal IReadOnlyList<string> Differing { get; init; } = [];
}

/// <summary>How Vault stands to a step.</summary>
public enum SetupState
{
    /// <summary>It is there, as planned.</summary>
    Present,

    /// <summary>It is not there.</summary>
    Missing,

    /// <summary>It was not there and has been made.</summary>
    Made,

    /// <summary>A policy that setup had written and nobody had edited was brought up to date.</summary>
    Updated,

    /// <summary>It is there and says something else; setup never changes what it cannot know to be its own.</summary>
    Differs,

    /// <summary>It could not be read or written.</summary>
    Failed,
}
