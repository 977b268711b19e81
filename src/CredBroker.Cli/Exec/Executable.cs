namespace CredBroker.Cli.Exec;

/// <summary>
/// Finds a command as a shell does: along PATH, never in the current directory (where .NET's own search looks first).
/// </summary>
internal static class Executable
{
    public static string Find(string command, Func<string, string?> variable)
    {
        if (OperatingSystem.IsWindows())
        {
            return command;
        }

        var candidates = command.Contains('/', StringComparison.Ordinal)
            ? [Path.GetFullPath(command)]
            : (variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin")
                .Split(':', StringSplitOptions.RemoveEmptyEntries)
                .Where(Path.IsPathRooted)
                .Select(folder => Path.Combine(folder, command))
                .ToArray();
        var found = candidates.Where(File.Exists).ToList();
        return found.Find(IsExecutable)
            ?? throw (
                found.Count > 0
                    ? new CliException(
                        ExitCodes.ExecNotRunnable,
                        $"{command} cannot be run: it is not executable.",
                        "Check the file's permissions."
                    )
                    : new CliException(
                        ExitCodes.ExecNotFound,
                        $"There is no command {command}.",
                        "Check its name and PATH."
                    )
            );
    }

    private static bool IsExecutable(string path) =>
        OperatingSystem.IsWindows()
        || (
            File.GetUnixFileMode(path)
            & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)
        ) != 0;
}
