using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.PolicyVersions;

/// <summary>
/// Loads the policy from its source, applies it as a committed version, and holds the newest applied one. A bad edit
/// keeps the last good version. The store is the truth: a version is in force once it is committed, whichever broker
/// committed it.
/// </summary>
public sealed partial class PolicyControl(
    IPolicySource source,
    IBrokerStore store,
    ILogger<PolicyControl> logger,
    PolicySourceKind comesFrom = PolicySourceKind.File
) : IDisposable
{
    // Another broker may apply a version between our read and our commit; each time there is something newer to look
    // at.
    private const int Attempts = 3;

    // How many refused contents are remembered, so that each is recorded once.
    private const int MostRefused = 100;

    /// <summary>What a caller is told while no policy is in force.</summary>
    public static readonly Refusal NotInForce = new(
        RefusalCode.PolicyMissing,
        "No policy is in force, so nothing can be decided. Try again later.",
        TimeSpan.FromSeconds(30)
    );

    private const string IgnoredFile =
        "Policy:Source is api, so the file is read for an empty store alone, and this edit of it changes nothing: "
        + "apply it with credbroker policy apply";

    private static readonly AuditActor Actor = AuditActor.Broker("policy");

    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile ActivePolicy? _current;
    private volatile RefusedEdit? _refusedEdit;
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);

    // As the store was open when it was asked last: reached anew, it may have given the number to another document.
    private long _opening;

    // The newest version that the store was seen to hold: in force, or not understood, which is found out once.
    private long _seen;

    /// <summary>The newest applied policy; null until one has been applied.</summary>
    public ActivePolicy? Current => _current;

    /// <summary>Where new versions come from.</summary>
    public PolicySourceKind ComesFrom => comesFrom;

    /// <summary>What the source holds beside the version in force; null where it holds nothing that was to be applied.</summary>
    public RefusedEdit? RefusedEdit => _refusedEdit;

    /// <summary>
    /// The faults of the last refused edit, with line and column; empty when the newest document is the applied one.
    /// </summary>
    public IReadOnlyList<string> LastFaults => _refusedEdit?.Faults ?? [];

    /// <summary>
    /// At start: takes up the newest stored version, then reads the source. Returns whether a policy is in force.
    /// Throws as <see cref="RefreshAsync"/> does.
    /// </summary>
    public async ValueTask<bool> StartAsync(CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        return _current is not null;
    }

    /// <summary>
    /// Reads the source and applies it if its content is new and good. Returns whether a version was taken up, from the
    /// source or (another broker applied it) from the store. Throws <see cref="StoreUnavailableException"/> when the
    /// store does not answer; the next call begins by reading what it holds.
    /// </summary>
    public async ValueTask<bool> RefreshAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var before = _current;
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                // Who is gone comes before what they answered for, both as of one moment.
                var position = store.Position;
                await TakeUpOwnersAsync(position, cancellationToken);

                // 1. What the store holds comes first: our own commit of unknown outcome, or another broker's.
                await TakeUpStoredAsync(position, cancellationToken);

                // 2. What the source holds; 3. apply it, unless it is in force, refused, or was a version before.
                if (
                    await IsSeededAsync(cancellationToken)
                    || await ReadAsync(cancellationToken) is not { } document
                    || await TryApplyAsync(document, cancellationToken)
                )
                {
                    return !ReferenceEquals(before, _current);
                }
            }

            throw new StoreUnavailableException(
                "Other brokers keep applying policy versions; this one's document is still to be applied."
            );
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async ValueTask TakeUpStoredAsync(StorePosition position, CancellationToken cancellationToken)
    {
        if (
            (position.Opening == _opening && position.PolicyVersion == _seen)
            || await store.Policies.FindNewestAsync(cancellationToken) is not { } stored
        )
        {
            return;
        }

        _opening = position.Opening;
        TakeUpStored(stored);
    }

    private void TakeUpStored(AppliedPolicyRecord stored)
    {
        if (stored.Version == _current?.Version && PolicyHash.Of(stored.Document) == _current.Set.Hash)
        {
            return;
        }

        var compilation = PolicyCompiler.Compile(stored.Document);
        if (compilation.Set is { } set)
        {
            TakeUp(new(stored.Version, set, stored.Document, stored.AppliedAt, stored.Origin));
            return;
        }

        // An older broker accepted what this one does not. Going on with an older version would undo an edit: better
        // nothing than that.
        Note(
            RefusedEdit.StoredNotAccepted,
            stored.Hash,
            [
                $"version {stored.Version}, applied before, is not accepted by this version of the broker",
                .. compilation.Faults.Select(fault => fault.ToString()),
            ]
        );
        (_current, _seen) = (null, stored.Version);
        LogStoredRefused(stored.Version, compilation.Faults.Count);
    }

    private async ValueTask<PolicyDocument?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            var document = await source.ReadAsync(cancellationToken);
            if (document is null)
            {
                Note(
                    RefusedEdit.Missing,
                    "",
                    [
                        _current is null
                            ? "there is no policy document yet"
                            : "the policy document is gone; the version in force stays",
                    ]
                );
            }

            return document;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Note(RefusedEdit.Unreadable, "", [$"the policy cannot be read: {exception.Message}"]);
            return null;
        }
    }

    /// <summary>
    /// Whether what the source holds is nobody's business any more, because versions come by the API; what was edited in
    /// it is told.
    /// </summary>
    private async ValueTask<bool> IsSeededAsync(CancellationToken cancellationToken)
    {
        if (comesFrom != PolicySourceKind.Api || store.Position.PolicyVersion == 0)
        {
            return false;
        }

        try
        {
            if (
                await source.ReadAsync(cancellationToken) is { } document
                && PolicyHash.Of(document) is var hash
                && await store.Policies.FindVersionOfAsync(hash, cancellationToken) is null
            )
            {
                Note(RefusedEdit.Ignored, hash, [IgnoredFile]);
            }
            else if (_current is not null)
            {
                Forget();
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It gave the store its first version, or never was there: nobody needs it.
        }

        return true;
    }

    /// <summary>Whether the document is dealt with; false when another version came in between.</summary>
    private async ValueTask<bool> TryApplyAsync(PolicyDocument document, CancellationToken cancellationToken)
    {
        var hash = PolicyHash.Of(document);
        if (hash == _current?.Set.Hash)
        {
            Forget();
            return true;
        }

        var compilation = PolicyCompiler.Compile(document);
        if (compilation.Set is not { } set)
        {
            await RefuseAsync(
                document,
                hash,
                RefusedEdit.HasFaults,
                [.. compilation.Faults.Select(fault => fault.ToString())],
                cancellationToken
            );
            return true;
        }

        switch (
            await CommitAsync(
                document,
                hash,
                store.Position.PolicyVersion,
                PolicyOrigin.File,
                Actor,
                null,
                cancellationToken
            )
        )
        {
            case CommitOutcome.Committed committed:
                Forget();
                TakeUp(new(committed.Number, set, document, committed.At, PolicyOrigin.File));
                return true;
            case CommitOutcome.GuardFailed { Reason: GuardFailure.PolicyWasVersionBefore }:
                var before = await store.Policies.FindVersionOfAsync(hash, cancellationToken);
                await RefuseAsync(
                    document,
                    hash,
                    RefusedEdit.WasVersionBefore,
                    [
                        $"this content was an earlier version, {before}, and a stale file must not roll policy back: to go "
                            + $"back to it on purpose, say credbroker policy rollback {before}",
                    ],
                    cancellationToken
                );
                return true;
            default:
                return false;
        }
    }

    private async ValueTask<CommitOutcome> CommitAsync(
        PolicyDocument document,
        string hash,
        long onto,
        PolicyOrigin origin,
        AuditActor actor,
        string? traceId,
        CancellationToken cancellationToken
    ) =>
        await store.CommitAsync(
            new StateChange.PolicyApplied
            {
                Expected = onto,
                Hash = hash,
                Document = document,
                Origin = origin,
                Event = new()
                {
                    What = new PolicyApplied
                    {
                        Document = document.Name,
                        Hash = hash,
                        Version = onto + 1,
                        Restores = origin.Restores,
                        Reason = origin.Reason,
                    },
                    Actor = actor,
                    TraceId = traceId,
                },
            },
            cancellationToken
        );

    private async ValueTask RefuseAsync(
        PolicyDocument document,
        string hash,
        string reason,
        IReadOnlyList<string> faults,
        CancellationToken cancellationToken
    )
    {
        Note(reason, hash, faults);
        if (_refused.Contains(hash))
        {
            return;
        }

        await store.CommitAsync(
            new StateChange.EventRecorded
            {
                Event = new()
                {
                    What = new PolicyRefused
                    {
                        Document = document.Name,
                        Hash = hash,
                        Faults = faults,
                    },
                    Actor = Actor,
                    Reason = reason,
                },
            },
            cancellationToken
        );
        if (_refused.Count == MostRefused)
        {
            _refused.Clear();
        }

        _refused.Add(hash);
    }

    /// <summary>What is seen again, each time the source is looked at, is told once.</summary>
    private void Note(string reason, string hash, IReadOnlyList<string> faults)
    {
        if (
            _refusedEdit is { } noted
            && (noted.Reason, noted.Hash) == (reason, hash)
            && noted.Faults.SequenceEqual(faults, StringComparer.Ordinal)
        )
        {
            return;
        }

        _refusedEdit = new(reason, hash, faults, store.Position.UtcNow);
        LogRefused(reason, hash, _current?.Version ?? 0, faults.Count, faults[0]);
    }

    private void Forget() => _refusedEdit = null;

    private void TakeUp(ActivePolicy active)
    {
        (_current, _seen) = (active with { Set = WithOwners(active.Set) }, active.Version);
        LogApplied(active.Version, active.Document.Name, active.Set.Hash);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Policy version {Version} is in force: {Name}, {Hash}")]
    private partial void LogApplied(long version, string name, string hash);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The policy document is not in force ({Reason}, hash {Hash}): version {Version} stays. "
            + "Faults: {Count}; first: {Fault}"
    )]
    private partial void LogRefused(string reason, string hash, long version, int count, string fault);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The stored policy version {Version} does not compile: "
            + "{Count} faults; nothing is allowed until a good one is applied"
    )]
    private partial void LogStoredRefused(long version, int count);
}
