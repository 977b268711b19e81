using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>Why a lease is revoked, and who asked.</summary>
/// <param name="Cause">The cause on record.</param>
/// <param name="Actor">Who asked.</param>
/// <param name="RevocationId">The order it belongs to.</param>
/// <param name="TraceId">The request's trace id.</param>
/// <param name="Rule">For a policy change: the rule that decided.</param>
public sealed record RevocationReason(
    RevocationCause Cause,
    AuditActor Actor,
    string? RevocationId,
    string? TraceId,
    string Rule = ""
)
{
    /// <summary>Who asked, as the lease keeps it: the actor, unless a job acts on somebody's order.</summary>
    public string RequestedBy { get; init; } = Actor.ToString();

    /// <summary>For recovery: the code that the agent was told.</summary>
    public string Code { get; init; } = "";

    /// <summary>The cause as audit events say it.</summary>
    public string CauseText => TextOf(Cause);

    /// <summary>A cause as events and tags say it.</summary>
    public static string TextOf(RevocationCause cause) => JsonNamingPolicy.KebabCaseLower.ConvertName(cause.ToString());
}
