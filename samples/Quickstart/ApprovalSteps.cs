using System.Text.Json;
using CredBroker.Client;

namespace CredBroker.Samples.Quickstart;

/// <summary>The people's part: what an agent may not do alone, and what it may only prepare.</summary>
internal sealed class ApprovalSteps(Narrator narrator, LocalBroker broker, List<string> secrets)
{
    private readonly AdminClient _owner = broker.Person("owner");

    /// <summary>Plays both, and gives the id that joins the records of the second.</summary>
    public async Task<string> PlayAsync(CancellationToken cancellationToken)
    {
        await ApproveAsync(cancellationToken);
        return await ExecuteAsync(cancellationToken);
    }

    /// <summary>A challenge: the agent waits, the process's owner reads and agrees, the agent redeems.</summary>
    private async Task ApproveAsync(CancellationToken cancellationToken)
    {
        narrator.Step("A step that a person has to approve");
        var agent = broker.Agent("triage", "triage-1");
        var request = new ExchangeRequest
        {
            Task = new()
            {
                Id = "invoice-42",
                Process = "invoice-triage",
                Purpose = "ask the supplier for the missing page",
            },
            Credential = "outgoing-mail-key",
            Actions = ["send"],
            ToolCall = new()
            {
                Name = "send-mail",
                Arguments = Json("""{"to":"kim@supplier.example","subject":"Invoice 42, page 2"}"""),
            },
        };
        var asked = new TaskCompletionSource<ApprovalRequestResponse>(
            TaskCreationOptions.RunContinuationsAsynchronously
        );
        var waiting = agent.ExchangeWhenApprovedAsync(request, asked.SetResult, cancellationToken).AsTask();
        await Task.WhenAny(waiting, asked.Task);
        if (waiting.IsCompleted)
        {
            throw new StoryFailedException(
                $"The agent should wait for a person: {waiting.Exception?.InnerException?.Message}"
            );
        }

        var question = await asked.Task;
        narrator.Say("the agent asks for the key that sends mail, and says to whom: 202, wait for a person");

        var card = await ReadAsync(question.ApprovalId, cancellationToken);
        await RefusedAsync(
            "CB7001",
            "an admin may take away, and not give",
            async () =>
                await broker
                    .Person("admin")
                    .ApproveAsync(card.ApprovalId, new() { Digest = card.Digest }, cancellationToken)
        );
        await ApproveAsync(card, cancellationToken);
        var issued = await waiting;
        Keep(issued);
        narrator.Check(
            issued.Secret is KeyValueSecret,
            "the agent, which was waiting, has the key now, for exactly what was approved"
        );
        await RefusedAsync(
            "CB3005",
            "a second time it gets nothing for it",
            async () => await agent.ExchangeAsync(request with { ApprovalId = card.ApprovalId }, cancellationToken)
        );
        await agent.ReleaseAsync(issued.LeaseId, cancellationToken);
        narrator.Say("the mail is sent; the agent gives the key back");
    }

    /// <summary>An executor: the agent prepares, the owner agrees, another workload redeems.</summary>
    private async Task<string> ExecuteAsync(CancellationToken cancellationToken)
    {
        narrator.Step("A step that the agent prepares, and never holds the secret for");
        var (payer, executor) = (broker.Agent("payer", "payer-1"), broker.Agent("payments-executor", "executor-1"));
        var request = new ExchangeRequest
        {
            Task = new()
            {
                Id = "payment-8",
                Process = "payments",
                Purpose = "pay invoice 42",
            },
            Credential = "payments-api-key",
            Actions = ["transfer"],
            ToolCall = new()
            {
                Name = "transfer",
                Arguments = Json("""{"amount":420.50,"iban":"DE02120300000000202051"}"""),
            },
        };
        var question = await AskAsync(payer, request, cancellationToken);
        narrator.Say("payer says which transfer it wants: the process's owner is asked about that one");

        var card = await ReadAsync(question.ApprovalId, cancellationToken);
        narrator.Check(card.Executor == "payments-executor", "only payments-executor may redeem the approval");
        await ApproveAsync(card, cancellationToken);

        var approved = request with { ApprovalId = card.ApprovalId };
        await RefusedAsync(
            "CB3012",
            "payer tries to redeem it itself",
            async () => await payer.ExchangeAsync(approved, cancellationToken)
        );
        await RefusedAsync(
            "CB3006",
            "the executor, asked by somebody to transfer more, is refused",
            async () =>
                await executor.ExchangeAsync(
                    approved with
                    {
                        ToolCall = request.ToolCall with
                        {
                            Arguments = Json("""{"amount":42050,"iban":"DE02120300000000202051"}"""),
                        },
                    },
                    cancellationToken
                )
        );
        var issued = await executor.ExchangeAsync(approved, cancellationToken);
        Keep(issued);
        narrator.Check(
            issued.Secret is KeyValueSecret,
            $"payments-executor gets the key with an identity of its own, and makes the transfer: lease {issued.LeaseId}"
        );
        var outcome = await payer.GetRequestAsync(card.ApprovalId, cancellationToken: cancellationToken);
        narrator.Check(
            outcome.Status == ApprovalStatuses.Redeemed,
            $"payer learns what became of it, and nothing more: {outcome.Status}"
        );
        await executor.ReleaseAsync(issued.LeaseId, cancellationToken);
        return card.ApprovalId;
    }

    private static async Task<ApprovalRequestResponse> AskAsync(
        AgentClient agent,
        ExchangeRequest request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await agent.ExchangeAsync(request, cancellationToken);
        }
        catch (ApprovalRequiredException required)
        {
            return required.Request;
        }

        throw new StoryFailedException("A person should be asked first.");
    }

    /// <summary>What the owner reads: facts of the broker, and what the agent says, marked as that.</summary>
    private async Task<ApprovalResponse> ReadAsync(string approvalId, CancellationToken cancellationToken)
    {
        var open = await _owner.ListApprovalsAsync(cancellationToken);
        var card = open.Approvals.SingleOrDefault(approval => approval.ApprovalId == approvalId);
        narrator.Check(card is not null, "the owner finds it in their list");
        narrator.Say($"       asked by   {card!.Requester.Agent}, task {card.Task} of {card.Process}");
        narrator.Say($"       wants      {card.Credential}, which cannot be undone; rule {card.Rules[0]}");
        narrator.Say($"       and says   {card.Statements.Purpose}");
        foreach (var shown in card.Statements.Arguments)
        {
            narrator.Say($"                  {shown.Label}: {shown.Text}");
        }

        return card;
    }

    private async Task ApproveAsync(ApprovalResponse card, CancellationToken cancellationToken)
    {
        var now = await _owner.ApproveAsync(card.ApprovalId, new() { Digest = card.Digest }, cancellationToken);
        narrator.Check(
            now.Agreements.Count == 1,
            $"the owner approves what was shown, by its digest {card.Digest[..12]}..."
        );
    }

    private async Task RefusedAsync(string code, string what, Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (BrokerProblemException no)
        {
            narrator.Check(no.Code == code, $"{what}: {no.Status} {no.Code} {no.Problem.Title}");
            return;
        }

        throw new StoryFailedException($"{what}: this should be refused.");
    }

    private void Keep(ExchangeResponse issued) =>
        secrets.Add(((KeyValueSecret)issued.Secret).Data.GetProperty("key").GetString()!);

    private static JsonElement Json(string text) => JsonElement.Parse(text);
}
