using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.PolicyVersions;

/// <content>What people do to the policy, over the API.</content>
public sealed partial class PolicyControl
{
    private static readonly Refusal FromFile = new(
        RefusalCode.PolicyFromFile,
        "This broker's policy comes from the file that Policy:File names: edit that, and it is applied within a second. "
            + "To apply it over the API, set Policy:Source to api at every broker of this store."
    );
    private static readonly Refusal Stale = new(
        RefusalCode.PolicyNotAsSeen,
        "Another version is in force than the one that If-Match names, so somebody's change would be lost. Load the "
            + "policy in force, and decide anew."
    );
    private static readonly Refusal NoSuchVersion = new(
        RefusalCode.PolicyVersionNotFound,
        "There is no policy version with this number."
    );

    /// <summary>A version was taken up by what a person did here.</summary>
    public event Action? Edited;

    /// <summary>
    /// Makes the next version. What comes back is the one in force: where its content was in force already that one, and
    /// nothing was done, so that a lost reply can be asked for again. Throws <see cref="StoreUnavailableException"/>
    /// where the store does not take it.
    /// </summary>
    public async ValueTask<PolicyEditOutcome> EditAsync(PolicyEdit edit, CancellationToken cancellationToken)
    {
        if (edit is PolicyEdit.Apply && comesFrom == PolicySourceKind.File)
        {
            return new PolicyEditOutcome.Refused(FromFile);
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            await TakeUpOwnersAsync(store.Position, cancellationToken);

            // What is in force the store says, not what this broker has heard of it: another one may have been faster.
            var inForce = await store.Policies.FindNewestAsync(cancellationToken);
            if (inForce is not null && (inForce.Version, inForce.Hash) != (_current?.Version, _current?.Set.Hash))
            {
                TakeUpStored(inForce);
            }

            var (document, origin) = edit switch
            {
                PolicyEdit.Apply apply => (apply.Document, new PolicyOrigin { Author = edit.Author }),
                PolicyEdit.Rollback back => (
                    (await store.Policies.FindAsync(back.Version, cancellationToken))?.Document,
                    new()
                    {
                        Author = edit.Author,
                        Restores = back.Version,
                        Reason = back.Reason,
                    }
                ),
                _ => throw new NotSupportedException(edit.GetType().Name),
            };
            if (document is null)
            {
                return new PolicyEditOutcome.Refused(NoSuchVersion);
            }

            var compilation = PolicyCompiler.Compile(document);
            if (compilation.Set is not { } set)
            {
                return new PolicyEditOutcome.Faulty(compilation.Faults);
            }

            if (set.Hash == inForce?.Hash && _current is { } already)
            {
                return new PolicyEditOutcome.InForce(already);
            }

            if (edit.Onto != inForce?.Hash)
            {
                return new PolicyEditOutcome.Refused(Stale);
            }

            // Whoever hangs up now has it applied, or not, as a whole.
            switch (
                await CommitAsync(
                    document,
                    set.Hash,
                    inForce?.Version ?? 0,
                    origin,
                    edit.Author,
                    edit.TraceId,
                    CancellationToken.None
                )
            )
            {
                case CommitOutcome.Committed committed:
                    var active = new ActivePolicy(committed.Number, set, document, committed.At, origin);
                    TakeUp(active);
                    Edited?.Invoke();
                    return new PolicyEditOutcome.InForce(active);
                case CommitOutcome.GuardFailed { Reason: GuardFailure.PolicyWasVersionBefore }:
                    var before = await store.Policies.FindVersionOfAsync(set.Hash, CancellationToken.None);
                    return new PolicyEditOutcome.Refused(
                        new(
                            RefusalCode.PolicyWasVersionBefore,
                            $"This content was version {before}. Going back is an act of its own: "
                                + $"credbroker policy rollback {before} --reason TEXT."
                        )
                    );
                case CommitOutcome.GuardFailed { Reason: GuardFailure.NotFound }:
                    return new PolicyEditOutcome.Refused(NoSuchVersion);
                default:
                    return new PolicyEditOutcome.Refused(Stale);
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
