using CredBroker.Client;
using CredBroker.Core.Audit;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;
using PolicyReplay = CredBroker.Core.Revocations.PolicyReplay;
using Told = CredBroker.Client.PolicyReplayVerdict;
using Verdict = CredBroker.Core.Revocations.PolicyReplayVerdict;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>
/// <c>POST /v1/policy/replay</c>: what would a document have said to the requests of the past? A page at a time; nothing is
/// applied.
/// </summary>
internal static class ReplayPolicyEndpoint
{
    // Pages of several people take turns; each is at most some seconds.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly Refusal Busy = new(
        RefusalCode.Overloaded,
        "Others replay the past just now. Try again in a moment.",
        TimeSpan.FromSeconds(5)
    );

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/policy/replay", HandleAsync)
            .WithName("replayPolicy")
            .WithSummary(
                "Decides recorded requests of the past under a policy document, and says what it would change."
            )
            .ForRoles(TakenRoles.Readers)
            .Accepts<PolicyReplayRequest>("application/json")
            .Produces<PolicyReplayResponse>();

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        PolicyReplay replay,
        PolicyControl control,
        ReplayRoom room,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.PolicyReplayRequest);
        if (!read.Then(Check).Passes(out var body, out var refusal))
        {
            return new Refused(refusal);
        }

        await actions.RecordAsync(person, cancellationToken);
        var to = body.To ?? store.Position.UtcNow;
        var compilation = PolicyCompiler.Compile(
            new()
            {
                Name = "replay",
                Text = body.Text,
                Schemas = body.Schemas ?? new Dictionary<string, string>(),
            }
        );
        if (compilation.Set is not { } policy)
        {
            return Answer(
                Describe(new(), to) with
                {
                    Faults = [.. compilation.Faults.Select(fault => fault.ToString())],
                }
            );
        }

        if (!await room.Turn.WaitAsync(LongestWait, cancellationToken))
        {
            return new Refused(Busy);
        }

        try
        {
            _ = AuditCursor.TryParse(body.After, out var after);
            var page = await replay.RunAsync(control.WithOwners(policy), body.From, to, after, cancellationToken);
            return Answer(Describe(page, to) with { Hash = policy.Hash });
        }
        finally
        {
            room.Turn.Release();
        }
    }

    private static Checked<PolicyReplayRequest> Check(PolicyReplayRequest body)
    {
        var check = new FieldCheck();
        PolicyTexts.Check(check, body.Schemas);
        check.Require(body.To is null || body.From < body.To, "from must lie before to.");
        check.Require(
            body.After is null || AuditCursor.TryParse(body.After, out _),
            "after must be the next of an earlier answer."
        );
        return check.Of(body);
    }

    private static Reply<PolicyReplayResponse> Answer(PolicyReplayResponse body) =>
        new(StatusCodes.Status200OK, body, BrokerJson.Default.PolicyReplayResponse);

    private static PolicyReplayResponse Describe(PolicyReplayPage page, DateTimeOffset to) =>
        new()
        {
            To = to,
            Scanned = page.Scanned,
            Replayed = page.Replayed,
            NewDenials = page.NewDenials,
            NewChallenges = page.NewChallenges,
            NewAllows = page.NewAllows,
            Changes =
            [
                .. page.Changes.Select(found => new Client.PolicyReplayChange
                {
                    Process = found.Change.Process,
                    Then = Describe(found.Change.Then),
                    Now = Describe(found.Change.Now),
                    Count = found.Count,
                    Example = found.Example,
                }),
            ],
            NotTold = page.NotTold,
            Unreadable = page.Unreadable,
            Counted = page.Counted,
            ArchivedUntil = page.ArchivedUntil,
            Next = page.Next?.ToString(),
        };

    private static Told Describe(Verdict verdict)
    {
        var code = verdict.Code.Length > 0 ? verdict.Code : "gate";
        return new(
            verdict.IsApproved ? "approved" : KebabCase.Of(verdict.Effect),
            verdict.Rule.Length > 0 ? verdict.Rule : code
        );
    }
}

/// <summary>Room for one page of a replay at a time.</summary>
internal sealed class ReplayRoom : IDisposable
{
    public SemaphoreSlim Turn { get; } = new(1, 1);

    public void Dispose() => Turn.Dispose();
}
