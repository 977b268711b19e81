using CredBroker.Core.Approvals;
using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Exchange;

/// <content>What a challenge leads to: before people are asked, the broker asks itself.</content>
public sealed partial class CredentialExchange
{
    private static readonly Refusal LeftToExecutor = new(
        RefusalCode.ExecutorOnly,
        "Another agent receives this secret, by a key of its own: ask without csr and delivery."
    );

    /// <summary>
    /// Asks people, or says why what they would agree to would be refused all the same. Null where policy changed
    /// meanwhile: that sends back to Decide.
    /// </summary>
    private async ValueTask<ExchangeOutcome?> AskAsync(
        ExchangeCommand command,
        DecisionRecord decision,
        StorePosition noted,
        int attempt,
        Func<Approval, StateChange.EvaluationUsed>? use = null
    )
    {
        try
        {
            (decision, var breach) = await LimitAsync(decision);

            // What stands asked is not asked again, and was looked at then.
            if (await approvals.FindOpenAsync(decision, CancellationToken.None) is { } open)
            {
                if (use is not null && await UseAsync(use(open)) is { } unbound)
                {
                    return await DenyAsync(command, Denied(decision, unbound));
                }

                await RecordChallengeAsync(command, decision);
                return new ExchangeOutcome.Challenged(open);
            }

            // Before anything is made at Vault.
            if (breach is not null)
            {
                return await DenyAsync(command, Denied(decision, breach));
            }

            if (await WouldBeRefusedAsync(command, decision) is { } refusal)
            {
                return await DenyAsync(command, Denied(decision, refusal));
            }

            // A caller that hangs up must not keep it off the record.
            if (await approvals.AskAsync(decision, noted, command.Call, use, CancellationToken.None) is not { } asked)
            {
                return attempt < MaxReturnsToDecide
                    ? null
                    : await DenyAsync(command, Denied(decision, GuardRefusals.Of(GuardFailure.PolicyChanged)));
            }

            if (!asked.Passes(out var approval, out var notAsked))
            {
                return await DenyAsync(command, Denied(decision, notAsked));
            }

            if (approval.Decision.Id != decision.Id)
            {
                // Another call of the caller's was faster, and this one is on record by itself.
                if (use is not null && await UseAsync(use(approval)) is { } unbound)
                {
                    return await DenyAsync(command, Denied(decision, unbound));
                }

                await RecordChallengeAsync(command, decision);
            }

            return new ExchangeOutcome.Challenged(approval);
        }
        catch (StoreUnavailableException fault)
        {
            LogStoreLost(logger, decision.Id, fault);
            return new ExchangeOutcome.Refused(StoreDown, null);
        }
    }

    /// <summary>
    /// Why it could not be issued now, were it approved: nobody is disturbed for that. Vault is asked to prepare it, and
    /// what it made is dropped.
    /// </summary>
    private async ValueTask<Refusal?> WouldBeRefusedAsync(ExchangeCommand command, DecisionRecord decision)
    {
        var grant = decision.Verdict.Grant!;
        var isLeft = decision.Verdict.Approval!.Executor.Length > 0;
        var noCsr = command.Csr is null ? null : LeftToExecutor;
        if ((isLeft ? noCsr : CsrRule.Check(grant.Entry.Vault, command.Csr)) is { } form)
        {
            return form;
        }

        if (readiness.Refusal is { } notNow)
        {
            return notNow;
        }

        if (await readiness.HoldAsync(decision, "", CancellationToken.None) is { } held)
        {
            return held;
        }

        if (isLeft)
        {
            // What it is made with, the executor brings.
            return null;
        }

        using var deadline = new CancellationTokenSource(options.IssuanceDeadline, time);
        var prepared = await issuer.PrepareAsync(Plan(command, decision, grant), deadline.Token);
        if (prepared is not PrepareOutcome.Prepared { Child: var child })
        {
            return ((PrepareOutcome.Refused)prepared).Refusal;
        }

        await DropAsync(child);
        return null;
    }

    private async ValueTask<Refusal?> UseAsync(StateChange.EvaluationUsed use) =>
        await store.CommitAsync(new StateChange.All([use]), CancellationToken.None)
            is CommitOutcome.GuardFailed { Reason: var reason }
            ? GuardRefusals.Of(reason)
            : null;

    private async ValueTask RecordChallengeAsync(ExchangeCommand command, DecisionRecord decision)
    {
        // What little a store in trouble still takes is for what ends secrets.
        if (readiness.Store is null && callers.RecordsDenialOf(decision))
        {
            await store.CommitAsync(ApprovalRequests.Denial(decision, command.Call), CancellationToken.None);
        }
    }
}
