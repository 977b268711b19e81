using CredBroker.Client;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>
/// <c>POST /v1/policy/preview</c>: which live leases and time boxes would a document end, which open requests to people
/// would it take back, and why? Nothing is applied.
/// </summary>
internal static class PreviewPolicyEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/policy/preview", HandleAsync)
            .WithName("previewPolicy")
            .WithSummary(
                "Lists what a policy document would end, and why, if it were applied now: leases, time boxes and requests to people."
            )
            .ForRoles(TakenRoles.Readers)
            .Accepts<PolicyPreviewRequest>("application/json")
            .Produces<PolicyPreviewResponse>();

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        PolicyControl policy,
        PolicyPreview preview,
        PreviewRoom room,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.PolicyPreviewRequest);
        if (!read.Then(Check).Passes(out var body, out var refusal))
        {
            return new Refused(refusal);
        }

        await actions.RecordAsync(person, cancellationToken);
        var document = new PolicyDocument
        {
            Name = "preview",
            Text = body.Text,
            Schemas = body.Schemas ?? new Dictionary<string, string>(),
        };
        var run = await room.RunAsync(token => preview.RunAsync(document, token), cancellationToken);
        return run.Passes(out var found, out refusal)
            ? new Reply<PolicyPreviewResponse>(
                StatusCodes.Status200OK,
                Describe(found, policy.Current?.Version ?? 0),
                BrokerJson.Default.PolicyPreviewResponse
            )
            : new Refused(refusal);
    }

    private static Checked<PolicyPreviewRequest> Check(PolicyPreviewRequest body)
    {
        var check = new FieldCheck();
        PolicyTexts.Check(check, body.Schemas);
        return check.Of(body);
    }

    private static PolicyPreviewResponse Describe(PolicyPreviewResult found, long version) =>
        new()
        {
            PolicyVersion = version,
            Hash = found.Policy?.Hash,
            Faults = found.Faults.Count == 0 ? null : [.. found.Faults.Select(fault => fault.ToString())],
            Live = found.Live,
            EndedCount = found.EndedCount,
            Ended = [.. found.Ended.Select(ended => Describe(ended.Lease) with { Rule = ended.Rule })],
            ShortenedCount = found.ShortenedCount,
            Shortened =
            [
                .. found.Shortened.Select(earlier => Describe(earlier.Lease) with { EndsAt = earlier.EndsAt }),
            ],
            Unreadable = found.Unreadable.Count == 0 ? null : found.Unreadable,
            OpenApprovals = found.OpenApprovals,
            Voided = [.. found.Voided.Select(voided => Describe(voided.Approval, voided.Fate))],
            OpenTimeBoxes = found.OpenTimeBoxes,
            EndedTimeBoxesCount = found.EndedTimeBoxesCount,
            EndedTimeBoxes = [.. found.EndedTimeBoxes.Select(ended => Describe(ended.TimeBox, ended.Fate))],
        };

    private static PolicyPreviewTimeBox Describe(TimeBox timeBox, ApprovalFate fate) =>
        new()
        {
            ApprovalId = timeBox.Approval.Id,
            Agent = timeBox.Approval.Decision.Verdict.Agent,
            Process = timeBox.Approval.Decision.Task.Process,
            Credential = timeBox.Approval.Decision.Request.Credential,
            EndsAt = timeBox.EndsAt,
            Effect = KebabCase.Of(fate.Effect),
            Rule = fate.DecidedBy,
        };

    private static PolicyPreviewApproval Describe(Approval approval, ApprovalFate fate) =>
        new()
        {
            ApprovalId = approval.Id,
            Agent = approval.Decision.Verdict.Agent,
            Process = approval.Decision.Task.Process,
            Credential = approval.Decision.Request.Credential,
            State = KebabCase.Of(approval.State),
            ExpiresAt = approval.ExpiresAt,
            Effect = KebabCase.Of(fate.Effect),
            Rule = fate.DecidedBy,
        };

    private static PolicyPreviewLease Describe(Lease lease) =>
        new()
        {
            LeaseId = lease.Id,
            Agent = lease.Decision.Verdict.Agent,
            Process = lease.Decision.Task.Process,
            Credential = lease.Decision.Request.Credential,
            ExpiresAt = lease.ExpiresAt,
        };
}
