namespace CredBroker.Cli;

/// <summary>
/// A command cannot go on. Told on standard error as what is wrong and what to do next; never carries a secret.
/// </summary>
internal sealed class CliException(int exitCode, string message, string next) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    public string Next { get; } = next;

    /// <summary>The reason that an order stands in the audit log with.</summary>
    public static string Reason(string? given) =>
        string.IsNullOrWhiteSpace(given)
            ? throw Usage("There is no reason.", "Say why with --reason TEXT: it stands in the audit log.")
            : given;

    public static CliException Usage(string message, string next) => new(ExitCodes.Usage, message, next);
}
