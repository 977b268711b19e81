using System.ComponentModel;
using System.Diagnostics;

namespace CredBroker.Cli.Exec;

/// <summary>Runs a command with the secret in its environment alone.</summary>
internal static class ChildProcess
{
    /// <summary>
    /// Starts it. It shares our standard streams, terminal and process group. Killed by signal n, its exit code is 128
    /// + n.
    /// </summary>
    public static Process Start(
        string executable,
        IEnumerable<string> arguments,
        ChildEnvironment environment,
        IEnumerable<string> withhold
    )
    {
        var start = new ProcessStartInfo(executable, arguments) { UseShellExecute = false };
        foreach (var name in environment.Remove.Concat(ChildEnvironment.TokenVariables).Concat(withhold))
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment.Set)
        {
            start.Environment[name] = value;
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new CliException(
                ExitCodes.ExecNotRunnable,
                $"{executable} cannot be run: {exception.Message}",
                "Check that it is a program for this machine."
            );
        }
    }
}
