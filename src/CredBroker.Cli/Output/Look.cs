namespace CredBroker.Cli.Output;

/// <summary>One look at what a command shows.</summary>
/// <param name="ExitCode">The command's exit code, were this look its last.</param>
/// <param name="IsOver">Whether no later look can show anything else.</param>
internal readonly record struct Look(int ExitCode, bool IsOver = false)
{
    public static implicit operator Look(int exitCode) => new(exitCode);
}
