namespace CredBroker.Client;

/// <summary>
/// A page of what a document would have said to the requests of the past. What was allowed stands for what policy had
/// granted, whether or not a hold, a limit or Vault refused it afterwards. Counts are this page's; sum up the pages'.
/// </summary>
public sealed record PolicyReplayResponse
{
    /// <summary>SHA-256 of the document and its schemas; absent where it has faults.</summary>
    public string? Hash { get; init; }

    /// <summary>Every fault of the document, which then decided nothing; absent where there is none.</summary>
    public IReadOnlyList<string>? Faults { get; init; }

    /// <summary>The first time not looked at.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>How many records of the audit log were read.</summary>
    public required long Scanned { get; init; }

    /// <summary>How many requests were decided again.</summary>
    public required long Replayed { get; init; }

    /// <summary>Of those: granted, or people might have agreed, and would be denied.</summary>
    public required long NewDenials { get; init; }

    /// <summary>Of those: granted, and people would be asked.</summary>
    public required long NewChallenges { get; init; }

    /// <summary>Of those: denied, or people were asked, and would be granted without anybody.</summary>
    public required long NewAllows { get; init; }

    /// <summary>What would be decided otherwise, or by another rule; 1,000 kinds of a page at most.</summary>
    public required IReadOnlyList<PolicyReplayChange> Changes { get; init; }

    /// <summary>How many more of this page would be, of kinds that <see cref="Changes"/> has no room for.</summary>
    public required long NotTold { get; init; }

    /// <summary>Records that are damaged, or another version's, and were not decided again.</summary>
    public required long Unreadable { get; init; }

    /// <summary>Refused calls that the log only counts: what they asked for was not kept. Not all came to be decided.</summary>
    public required long Counted { get; init; }

    /// <summary>
    /// Until when the log was archived, where that reaches into the period: earlier requests may be missing. Absent where
    /// it does not.
    /// </summary>
    public DateTimeOffset? ArchivedUntil { get; init; }

    /// <summary>Send it as <c>after</c> for the next page; absent on the last one.</summary>
    public string? Next { get; init; }
}
