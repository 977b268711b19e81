namespace CredBroker.Cli.Output;

/// <summary>
/// Why a command ended without what was asked of it, whatever kept it: the one shape of every error with
/// <c>--output json</c>.
/// </summary>
internal sealed record FailureOutput
{
    /// <summary>The broker's code (<c>CB2001</c>), or a word of the command line's own.</summary>
    public required string Code { get; init; }

    /// <summary>What is wrong.</summary>
    public required string Message { get; init; }

    /// <summary>What to do next; null where there is nothing.</summary>
    public string? Next { get; init; }

    public required int ExitCode { get; init; }

    /// <summary>The HTTP status of the broker's answer; null where it was not asked or did not answer.</summary>
    public int? Status { get; init; }

    /// <summary>After how many seconds trying again makes sense; null where it makes none.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>Finds the call in the broker's log and audit log.</summary>
    public string? TraceId { get; init; }

    /// <summary>The recorded decision.</summary>
    public string? DecisionId { get; init; }

    /// <summary>The request that people have to approve first.</summary>
    public string? ApprovalId { get; init; }

    /// <summary>The end of that request.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>All that is wrong, where it is more than one thing.</summary>
    public IReadOnlyList<string>? Faults { get; init; }
}
