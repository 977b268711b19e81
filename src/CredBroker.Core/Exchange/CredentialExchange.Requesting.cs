using CredBroker.Core.Approvals;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Exchange;

/// <content>The same question to people, submitted for a denial instead of met on the way to a secret.</content>
public sealed partial class CredentialExchange
{
    /// <summary>
    /// Has people asked about a denial of the caller's. Everything is decided anew, and as an exchange would: what policy
    /// denies, or allows without people, is nothing to ask about. Nothing is issued here, whatever the answer.
    /// </summary>
    public async ValueTask<ExchangeOutcome> SubmitAsync(
        ExchangeCommand command,
        AccessSubmission submission,
        CancellationToken cancellationToken
    )
    {
        var noted = store.Position;
        var verification = await callers.VerifyAsync(command.Proof, command.Call, cancellationToken);
        if (verification is not VerificationOutcome.Verified { Identity: var identity })
        {
            return new ExchangeOutcome.Refused(((VerificationOutcome.Refused)verification).Refusal, null);
        }

        for (var attempt = 0; ; attempt++)
        {
            var check = await access.CheckAsync(
                identity,
                submission,
                policy.Current?.Version ?? 0,
                CancellationToken.None
            );
            if (check.Earlier is { } earlier)
            {
                return new ExchangeOutcome.Challenged(earlier);
            }

            var (decision, _, _) = await DecideAsync(command, identity);
            if (check.Refusal is { } unbound)
            {
                // On record as any other denial: who tries bindings is seen.
                return await DenyAsync(command, Denied(decision, unbound));
            }

            if (decision.Verdict is { Effect: PolicyEffect.Deny, Refusal: { } no })
            {
                // On record, and counted, as the denial that it is.
                var denied = await DenyAsync(command, decision);
                return new ExchangeOutcome.Refused(
                    NotRequestable($"It is denied now, and people are not asked: {no.CodeText}, {no.Detail}"),
                    (denied as ExchangeOutcome.Refused)?.DecisionId
                );
            }

            if (decision.Verdict.Effect != PolicyEffect.Challenge)
            {
                return await DenyAsync(
                    command,
                    Denied(
                        decision,
                        NotRequestable("It is allowed now: ask for the secret, nobody has to agree to it.")
                    )
                );
            }

            if (await AskAsync(command, decision, noted, attempt, check.Use) is { } asked)
            {
                return asked;
            }
        }
    }

    private static Refusal NotRequestable(string why) => new(RefusalCode.NotRequestable, why);
}
