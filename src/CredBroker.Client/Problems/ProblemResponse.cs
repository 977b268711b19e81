namespace CredBroker.Client;

/// <summary>An error, as <c>application/problem+json</c> (RFC 9457).</summary>
public sealed record ProblemResponse
{
    /// <summary>A URI that names the kind of problem.</summary>
    public string? Type { get; init; }

    /// <summary>The kind of problem, for a person; the title of its code in <see cref="ErrorCodes"/>.</summary>
    public string? Title { get; init; }

    /// <summary>The HTTP status.</summary>
    public int? Status { get; init; }

    /// <summary>This occurrence: what is wrong and what to do next.</summary>
    public string? Detail { get; init; }

    /// <summary>The stable code, such as <c>CB2001</c>; see <see cref="ErrorCodes"/>.</summary>
    public string? Code { get; init; }

    /// <summary>After how many seconds trying again makes sense; absent where it makes none.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>Finds the request in the broker's log and audit log.</summary>
    public string? TraceId { get; init; }

    /// <summary>The recorded decision, where there is one.</summary>
    public string? DecisionId { get; init; }

    /// <summary>All that is wrong with a document that was sent, with line and column; absent where none was.</summary>
    public IReadOnlyList<string>? Faults { get; init; }
}
