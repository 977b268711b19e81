using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Approvals;

/// <summary>A time box, as its own columns have it: its approval is read beside it.</summary>
internal sealed class TimeBoxRow
{
    /// <summary>Selects it; what names an index and a condition follow.</summary>
    public const string Select = """
        SELECT number AS Number, approval AS Approval, digest AS Digest, fence AS Fence, opened_at AS OpenedAt, ends_at AS EndsAt,
          uses AS Uses, ended_at AS EndedAt, ended_by AS EndedBy, cause AS Cause
        FROM time_box
        """;

    /// <summary>Selects the one that was given with the approval <c>@approval</c>.</summary>
    public const string ByApproval = Select + " WHERE approval = @approval";

    public long Number { get; init; }

    public required string Approval { get; init; }

    public required string Digest { get; init; }

    /// <summary>The newest revocation order when its approval was asked for.</summary>
    public long Fence { get; init; }

    public long OpenedAt { get; init; }

    public long EndsAt { get; init; }

    public long Uses { get; init; }

    public long? EndedAt { get; init; }

    public required string EndedBy { get; init; }

    public required string Cause { get; init; }

    public TimeBox Of(Approval approval) =>
        new()
        {
            Number = Number,
            Approval = approval,
            Digest = Digest,
            OpenedAt = ColumnValue.Time(OpenedAt),
            EndsAt = ColumnValue.Time(EndsAt),
            Uses = (int)Uses,
            EndedAt = ColumnValue.Time(EndedAt),
            EndedBy = EndedBy,
            Cause = Cause,
        };
}
