namespace CredBroker.Core.Audit;

/// <summary>What verifying an export came to.</summary>
public sealed record AuditVerification
{
    /// <summary>Whether everything that the file can prove holds.</summary>
    public bool Holds => Fault is null;

    /// <summary>The first thing that is wrong; null when nothing is.</summary>
    public AuditFault? Fault { get; init; }

    /// <summary>Lines read, those of the export itself included; up to and including the faulty one.</summary>
    public required long Lines { get; init; }

    /// <summary>Records that were found in order; where something is wrong, those before it.</summary>
    public required long Records { get; init; }

    /// <summary>What the file holds of each stream, in its order.</summary>
    public required IReadOnlyList<AuditStreamSpan> Streams { get; init; }

    /// <summary>The earliest record's time.</summary>
    public DateTimeOffset? Earliest { get; init; }

    /// <summary>The latest record's time.</summary>
    public DateTimeOffset? Latest { get; init; }

    /// <summary>What the file says it holds, in a sentence for the auditor.</summary>
    public required string Range { get; init; }

    /// <summary>Whether it holds everything from the store's first record until it was exported.</summary>
    public required bool IsWhole { get; init; }

    /// <summary>
    /// Whether it is one export without a lower bound or a gap: all that the log had from where it begins to its end.
    /// </summary>
    public required bool IsOneBeginning { get; init; }

    /// <summary>What this file alone cannot prove, in sentences for the auditor.</summary>
    public required IReadOnlyList<string> NotProven { get; init; }
}

/// <summary>What is wrong, and where.</summary>
/// <param name="Line">The line, counted from 1; one past the last where something is missing at the end.</param>
/// <param name="Stream">The stream concerned, if that can be said.</param>
/// <param name="Sequence">The event concerned: the one altered, out of place, or missing.</param>
/// <param name="What">What is wrong with it.</param>
public sealed record AuditFault(long Line, string? Stream, long? Sequence, string What);

/// <summary>A run of a stream's records without a gap.</summary>
/// <param name="Anchor">The position just before the first record.</param>
/// <param name="Head">The position of the last.</param>
/// <param name="IsClosed">Whether the last says that its process stopped in good order.</param>
public sealed record AuditStreamSpan(AuditPosition Anchor, AuditPosition Head, bool IsClosed);
