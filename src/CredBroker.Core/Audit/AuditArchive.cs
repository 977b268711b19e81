namespace CredBroker.Core.Audit;

/// <summary>The beginning of the log, moved into a file that verifies by itself.</summary>
/// <param name="End">Its last record: everything up to there is in this file and those before it.</param>
/// <param name="File">The file's name; its directory is the settings' <c>Audit:ArchiveTo</c>.</param>
/// <param name="Records">How many records the file holds.</param>
/// <param name="Latest">When its last record was committed.</param>
public sealed record AuditArchive(AuditPosition End, string File, long Records, DateTimeOffset Latest)
{
    /// <summary>Whether some of it is in the store still.</summary>
    public bool IsInStore { get; init; }
}
