using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Open questions that ask the same people for the same of one process, so that a person reads once what they share, and
/// of each only what differs. They are decided all or none. What cannot be undone, or would cost much, is in no group.
/// </summary>
/// <param name="Id">What it is called as long as it is the same that they share.</param>
/// <param name="Digest">Which questions, and what each is about: another one in it is another digest.</param>
/// <param name="Requests">The questions, oldest first; <see cref="MaxRequests"/> at most.</param>
public sealed record ApprovalGroup(string Id, string Digest, IReadOnlyList<Approval> Requests)
{
    /// <summary>How many are decided at once at most: nobody reads more differences.</summary>
    public const int MaxRequests = 50;

    /// <summary>How its ids begin.</summary>
    public const string Prefix = "grp_";

    /// <summary>
    /// These as groups, the one with the oldest question first, and those that stand alone: because they have to, or
    /// because no other is about the same.
    /// </summary>
    public static (IReadOnlyList<ApprovalGroup> Groups, IReadOnlyList<Approval> Alone) Of(
        IReadOnlyList<Approval> approvals
    )
    {
        var (groups, alone) = (new List<ApprovalGroup>(), approvals.Where(StandsAlone).ToList());
        foreach (var shared in InOrder(approvals.Where(approval => !StandsAlone(approval))).GroupBy(KeyOf))
        {
            foreach (var (part, number) in shared.Chunk(MaxRequests).Select((part, number) => (part, number)))
            {
                if (part is [var only])
                {
                    alone.Add(only);
                    continue;
                }

                groups.Add(new(IdOf(shared.Key, number), DigestOf(part), part));
            }
        }

        return (groups, InOrder(alone));
    }

    /// <summary>
    /// Whether it is decided by itself alone: what is done with it cannot be undone, by the effective
    /// <c>reversible</c>, or its impact is high.
    /// </summary>
    public static bool StandsAlone(Approval approval) =>
        approval.Decision.Verdict.Grant is not { } grant
        || grant.Entry.Impact == ImpactLevel.High
        || !grant.Entry.IsReversibleIn(grant.Process);

    /// <summary>These as one group. They have been found to be about the same.</summary>
    internal static ApprovalGroup One(IReadOnlyList<Approval> approvals)
    {
        var ordered = InOrder(approvals);
        return new(IdOf(KeyOf(ordered[0]), 0), DigestOf(ordered), ordered);
    }

    /// <summary>What those of a group share, as a digest.</summary>
    internal static string KeyOf(Approval approval)
    {
        var (decision, verdict) = (approval.Decision, approval.Decision.Verdict);
        return ApprovalDigest.Of(
            JsonSerializer.SerializeToElement(
                new ApprovalGroupShared
                {
                    Process = verdict.Grant!.Process,
                    Entry = verdict.Grant.Entry,
                    Params = decision.Request.Params,
                    Tool = decision.Request.ToolCall?.Name,
                    Obligations = verdict.Obligations,
                    Gate = verdict.Gate,
                },
                ApprovalGroupJson.Default.ApprovalGroupShared
            )
        );
    }

    private static string IdOf(string key, int part) =>
        part == 0 ? $"{Prefix}{key[..24]}" : $"{Prefix}{key[..24]}-{part + 1}";

    private static string DigestOf(IReadOnlyList<Approval> requests) =>
        TextDigest.Of([.. requests.SelectMany(request => (string[])[request.Id, request.Digest])]);

    // The same at every broker, so that of two who decide overlapping groups one is first at all of what both name.
    private static List<Approval> InOrder(IEnumerable<Approval> approvals) =>
        [.. approvals.OrderBy(approval => approval.AskedAt).ThenBy(approval => approval.Id, StringComparer.Ordinal)];
}

/// <summary>What the questions of a group share. Who asks, for which task and of what, may differ, and for how long.</summary>
internal sealed record ApprovalGroupShared
{
    public required BusinessProcess Process { get; init; }

    public required CatalogueEntry Entry { get; init; }

    public required IReadOnlyDictionary<string, string>? Params { get; init; }

    public required string? Tool { get; init; }

    public required IReadOnlyList<Obligation> Obligations { get; init; }

    public required IReadOnlyList<GateCondition> Gate { get; init; }
}

/// <summary>How what they share is written before it becomes canonical.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(WholeTextConverter)]
)]
[JsonSerializable(typeof(ApprovalGroupShared))]
internal sealed partial class ApprovalGroupJson : JsonSerializerContext;
