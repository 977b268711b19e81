namespace CredBroker.Cli;

/// <summary>The exit codes of every command; <c>exec</c> otherwise gives its child's.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Failed: a file, an answer or a fault that is none of those below.</summary>
    public const int Failed = 1;

    /// <summary>The command line, its files or its environment are not as they must be.</summary>
    public const int Usage = 2;

    /// <summary>The broker refused: identity, policy, role, or no such lease.</summary>
    public const int Refused = 3;

    /// <summary>
    /// Not now: the broker or what it needs cannot be reached, a revocation is not confirmed yet, or a hold is not on
    /// record yet.
    /// </summary>
    public const int Unavailable = 4;

    /// <summary>
    /// A check ran and found faults (<c>audit verify</c>, <c>policy lint</c>, <c>policy apply --require-replay</c>,
    /// <c>vault check</c>, <c>doctor</c>), or an admin's selection reaches nothing (CB7006).
    /// </summary>
    public const int FaultsFound = 5;

    /// <summary><c>exec</c>: no secret or no child, for any reason of ours (as env(1) and timeout(1) say it).</summary>
    public const int ExecFailed = 125;

    /// <summary><c>exec</c>: the command was found but cannot be run.</summary>
    public const int ExecNotRunnable = 126;

    /// <summary><c>exec</c>: no such command.</summary>
    public const int ExecNotFound = 127;

    /// <summary>Ended by Ctrl-C (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>The table for <c>--help</c>.</summary>
    public const string Help = """
        Exit codes:
          0  done
          1  failed
          2  wrong usage: the command line, a file or the environment
          3  refused by the broker
          4  not now: something cannot be reached, or a revocation is not confirmed yet
          5  a check ran and found faults, or nothing is selected
          exec gives the exit code of its command; 125 if it never started, 126 not runnable, 127 not found
        """;
}
