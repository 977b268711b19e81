namespace CredBroker.Vault.Setup;

/// <summary>How Vault stands to a plan, step by step.</summary>
public sealed record SetupReport(IReadOnlyList<SetupFinding> Findings)
{
    /// <summary>Whether Vault holds everything as planned.</summary>
    public bool IsComplete =>
        Findings.All(finding => finding.State is SetupState.Present or SetupState.Made or SetupState.Updated);

    /// <summary>What is wrong with the files that it takes; with any, nothing is made.</summary>
    public IReadOnlyList<string> FileFaults { get; init; } = [];

    /// <summary>Whether nothing had to be, or was, written.</summary>
    public bool IsUnchanged => Findings.All(finding => finding.State is SetupState.Present);
}

/// <summary>One step's finding.</summary>
/// <param name="Step">The step.</param>
/// <param name="State">How Vault stands to it.</param>
/// <param name="Details">
/// For a difference: each member as it is and as it becomes, statements and policies line by line with <c>-</c> and
/// <c>+</c>. For a failure: Vault's words. Never a secret.
/// </param>
public sealed record SetupFinding(SetupStep Step, SetupState State, IReadOnlyList<string> Details)
{
    /// <summary>The members that say something else, where that is known.</summary>
    internal IReadOnlyList<string> Differing { get; init; } = [];

    /// <summary>Of a connection: whether it becomes one to another server, where its administrator is another one.</summary>
    internal bool IsOfAnotherServer { get; init; }
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

    /// <summary>It is the installation's own and says something else: applying the plan changes it.</summary>
    Outdated,

    /// <summary>It was the installation's own, said something else and has been changed.</summary>
    Updated,

    /// <summary>It is there and says something else; setup never changes what it cannot know to be its own.</summary>
    Differs,

    /// <summary>It could not be read or written.</summary>
    Failed,
}

/// <summary>What Vault has under the installation's names that the plan does not need.</summary>
/// <param name="Paths">Where it is. Setup deletes nothing: leases may still hang on it.</param>
/// <param name="NotSearched">Where it could not be looked for, and why.</param>
public sealed record SetupLeftOver(IReadOnlyList<string> Paths, IReadOnlyList<string> NotSearched);
