using CredBroker.Core.Text;

namespace CredBroker.Core.Retention;

/// <summary>How long the audit log is kept in the store. Bound from the section <c>Audit</c>.</summary>
public sealed record AuditOptions
{
    private const string Section = "Audit";
    private static readonly TimeSpan Shortest = TimeSpan.FromHours(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    /// <summary>
    /// How old a record is at least when it is archived and deleted from the store. Null keeps all of them for ever.
    /// </summary>
    public TimeSpan? KeepFor { get; init; }

    /// <summary>The directory that archives are written to: the broker's own, an absolute path.</summary>
    public string ArchiveTo { get; init; } = "";

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (KeepFor < Shortest || KeepFor > Longest)
        {
            yield return $"{Section}:{nameof(KeepFor)} is {KeepFor}; write a time from {Shortest} to {Longest}, such as "
                + "\"400.00:00:00\" for 400 days, or leave it out: then everything is kept for ever.";
        }

        if (KeepFor is not null && ArchiveTo.Length == 0)
        {
            yield return $"{Section}:{nameof(ArchiveTo)} is missing. Nothing is deleted that was not archived: write the "
                + "path of a directory, or leave Audit:KeepFor out.";
        }
        else if (ArchiveTo.Length > 0 && DirectoryFault is { } fault)
        {
            yield return $"{Section}:{nameof(ArchiveTo)} is \"{ArchiveTo}\", {fault}";
        }
    }

    /// <summary>What is wrong with the directory; null where nothing is. It may change while the broker runs.</summary>
    internal string? DirectoryFault =>
        ArchiveTo.Contains('\0', StringComparison.Ordinal) || !Path.IsPathFullyQualified(ArchiveTo)
            ? "no absolute path; write one, such as /var/lib/credbroker/archive."
            : OwnFolder.FaultOf(ArchiveTo);
}
