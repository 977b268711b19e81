namespace CredBroker.Cli.Output;

/// <summary>One look at what a command shows.</summary>
/// <param name="ExitCode">The command's exit code, were this look its last.</param>
/// <param name="IsOver">Whether no later look can show anything else.</param>
/// <param name="Lasting">What of it makes a change, where not all that is written does; it is not shown.</param>
internal readonly record struct Look(int ExitCode, bool IsOver = false, string? Lasting = null)
{
    public static implicit operator Look(int exitCode) => new(exitCode);
}

/// <summary>A look and what it wrote.</summary>
internal readonly record struct LookText(Look Look, string Output, string Error);
