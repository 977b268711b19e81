using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/holds</c>: what is neither issued nor renewed from now on. At least one field of the selection is set
/// (<see cref="LeaseSelection.Lease"/> is none of them: a new lease has a new id), or <see cref="Everything"/> is true
/// together with <see cref="Confirm"/>. It takes nothing back; for that as well see <see cref="RevocationRequest.Hold"/>.
/// </summary>
public sealed record HoldRequest : LeaseSelection
{
    /// <summary>All issuing; needs <see cref="Confirm"/>.</summary>
    public bool? Everything { get; init; }

    /// <summary>Says that <see cref="Everything"/> is meant.</summary>
    public bool? Confirm { get; init; }

    /// <summary>How long, at most 8784 hours (366 days); absent means until it is lifted.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? For { get; init; }

    /// <summary>Why; stands in the audit log and in the list of holds.</summary>
    public string? Reason { get; init; }

    /// <summary>True: names that are in no policy and on no lease are no mistake (CB7006).</summary>
    public bool? AllowNone { get; init; }
}
