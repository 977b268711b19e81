namespace CredBroker.Core.Audit;

/// <summary>
/// Something that happened, before the commit writer gives it stream, sequence, time and previous hash. No member ever
/// holds a secret value.
/// </summary>
public sealed record AuditEvent
{
    /// <summary>What happened.</summary>
    public required AuditFact What { get; init; }

    /// <summary>Who did it.</summary>
    public required AuditActor Actor { get; init; }

    /// <summary>The lease concerned.</summary>
    public string? LeaseId { get; init; }

    /// <summary>The decision concerned.</summary>
    public string? DecisionId { get; init; }

    /// <summary>The revocation order concerned.</summary>
    public string? RevocationId { get; init; }

    /// <summary>The business process.</summary>
    public string? Process { get; init; }

    /// <summary>The task's id.</summary>
    public string? TaskId { get; init; }

    /// <summary>The catalogue entry.</summary>
    public string? Credential { get; init; }

    /// <summary>Whose secret it is about; in every event of a lease and of a decision.</summary>
    public AuditHolder? Holder { get; init; }

    /// <summary>What was decided; in every event that tells of a decision.</summary>
    public AuditJudgement? Judgement { get; init; }

    /// <summary>
    /// The refusal's code (<c>CB2001</c>), the revocation's cause, or another word that classifies the event.
    /// </summary>
    public string? Reason { get; init; }

    /// <summary>The W3C trace id of the request that led to it.</summary>
    public string? TraceId { get; init; }
}
