using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Readiness;

/// <summary>
/// Compares the store with its anchor, which it keeps at the same time: at the start, whenever the store was opened anew,
/// and each interval. A store that does not have what the anchor says was put back, or lost its last commits: secrets may
/// live of which it knows nothing, and holds be gone that it had. So nothing is issued, swept or lifted until an admin
/// accepts it; what it knows is revoked as ever. An anchor that is older than the store remembers is a Vault that was put
/// back, whose word proves nothing (<see cref="VaultCluster.Doubt"/>).
/// <para>
/// The anchor is written only of what the store has committed, and the store remembers it only once it is written. So
/// whichever of the two steps is the last one before a crash, neither is ahead of the other.
/// </para>
/// </summary>
public sealed partial class AnchorCheck(
    IBrokerStore store,
    IAnchorPlace place,
    VaultCluster cluster,
    ILogger<AnchorCheck> logger
) : IDisposable
{
    /// <summary>What operators are told of an anchor that cannot be kept.</summary>
    public const string Unkept =
        "The anchor cannot be written: run credbroker vault setup. Until then a store that was put back is not noticed.";

    /// <summary>How often another broker may write first.</summary>
    private const int Tries = 5;

    private static readonly Refusal NotCompared = new(
        RefusalCode.IssuingPaused,
        "The store has not been compared with its anchor in Vault yet. Try again.",
        TimeSpan.FromSeconds(2)
    );

    private static readonly Refusal Behind = new(
        RefusalCode.StoreBehind,
        "The store has gone back: it does not have what its anchor in Vault says. Nothing is issued, swept or lifted until an "
            + "admin says that it is the right one.",
        TimeSpan.FromSeconds(30)
    );

    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile AnchorFinding? _finding;
    private string? _said;

    /// <summary>What was found of the store as it is open now; null where it has not been compared.</summary>
    public AnchorFinding? Finding => _finding is { } finding && finding.Opening == store.Epoch.Opening ? finding : null;

    /// <summary>
    /// Why nothing is issued, swept or lifted. Where Vault is the one that went back,
    /// <see cref="VaultCluster.Refusal"/> says so.
    /// </summary>
    public Refusal? Refusal =>
        Finding switch
        {
            null => NotCompared,
            { IsStoreBehind: true } => Behind,
            _ => null,
        };

    /// <summary>At the start: until the anchor is read, Vault's word proves nothing where there should be one.</summary>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        if ((await store.Epoch.ReadAsync(cancellationToken)).Anchored > 0)
        {
            cluster.Doubt("What Vault holds of the store has not been read yet.", isBehind: false);
        }
    }

    /// <summary>
    /// Compares, and writes the anchor anew where the store has come further. Where Vault does not answer, what was found
    /// before stays.
    /// </summary>
    public async ValueTask CompareAsync(CancellationToken cancellationToken)
    {
        if (store.Fault is not null)
        {
            // Nothing is issued, and nothing could be remembered.
            return;
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            for (var i = 0; i < Tries && !await TryCompareAsync(cancellationToken); i++) { }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Takes the store as it is, on a person's word, and goes on from there. Whether the store is in that epoch now, as far
    /// as Vault could be told.
    /// </summary>
    /// <param name="epoch">The epoch that begins: <see cref="AnchorFinding.NextEpoch"/>.</param>
    /// <param name="reason">Why, in the admin's words.</param>
    /// <param name="person">Who.</param>
    /// <param name="call">The request.</param>
    /// <param name="cancellationToken">Gives up, before it is committed.</param>
    public async ValueTask<bool> AcceptAsync(
        long epoch,
        string reason,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        await CompareAsync(cancellationToken);
        if (Finding is not { IsStoreBehind: true } finding || finding.NextEpoch != epoch)
        {
            return false;
        }

        var outcome = await store.CommitAsync(
            new StateChange.EpochOpened
            {
                Epoch = epoch,
                Expected = finding.Epoch,
                RequestedBy = person.ToString(),
                Event = new()
                {
                    What = new StoreAccepted
                    {
                        Epoch = epoch,
                        Before = finding.Epoch,
                        AnchorEpoch = finding.AnchorEpoch ?? 0,
                        Missing = finding.Missing,
                        Reason = reason,
                    },
                    Actor = person,
                    TraceId = call.TraceId,
                },
            },
            cancellationToken
        );
        Failpoint.Pass("store-accepted");
        if (outcome is not CommitOutcome.Committed)
        {
            return false;
        }

        // The anchor of the epoch before is replaced, now, or by whoever compares next.
        await CompareAsync(CancellationToken.None);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    /// <summary>False where another broker has written meanwhile.</summary>
    private async ValueTask<bool> TryCompareAsync(CancellationToken cancellationToken)
    {
        // In this order, because others write, too: what the store remembers to be in Vault was there when it is read, and
        // what is read there is in the store when that is read again.
        var opening = store.Epoch.Opening;
        var vaultChangedAt = cluster.Accepted?.ChangedAt;
        var before = await store.Epoch.ReadAsync(cancellationToken);
        var reading = await place.ReadAsync(cancellationToken);
        if (reading is AnchorReading.Failed failed)
        {
            Say(LogLevel.Warning, $"The store's anchor could not be read. {failed.Why}");
            return true;
        }

        var found = reading as AnchorReading.Found;
        if (WhyBehind(before, reading) is { } why)
        {
            cluster.Doubt(why, isBehind: true);
            _finding = new(opening, before.Number) { AnchorEpoch = found?.Anchor.Epoch };
            Say(LogLevel.Critical, $"{why} If it is the right one: credbroker vault cluster --accept");
            return true;
        }

        cluster.Trust();
        var now = await store.Epoch.ReadAsync(cancellationToken);
        switch (reading)
        {
            case AnchorReading.Barred barred:
                _finding = new(opening, now.Number) { NotKept = Unkept };
                Say(LogLevel.Error, $"{Unkept} {barred.Why}");
                return true;
            case AnchorReading.Found { Anchor: var anchor }:
                var missing = await MissingAsync(anchor, now, cancellationToken);
                if (anchor.Epoch > now.Number || (anchor.Epoch == now.Number && missing.Count > 0))
                {
                    _finding = new(opening, now.Number)
                    {
                        AnchorEpoch = anchor.Epoch,
                        Missing = missing,
                        IsStoreBehind = true,
                    };
                    Say(
                        LogLevel.Critical,
                        $"The store has gone back: it is in epoch {now.Number} and does not have {missing.Count} of the records "
                            + $"that its anchor in Vault (epoch {anchor.Epoch}) names. Nothing is issued, swept or lifted. If it "
                            + "is the right one: credbroker store accept"
                    );
                    return true;
                }

                if (anchor.Epoch == now.Number && anchor.Heads.SequenceEqual(now.Heads))
                {
                    _finding = new(opening, now.Number) { AnchorEpoch = anchor.Epoch };
                    Say(LogLevel.Information, null);
                    return true;
                }

                break;
        }

        return await KeepAsync(
            new(now.Number, (found?.Anchor.Serial ?? 0) + 1, now.Heads),
            found,
            opening,
            vaultChangedAt,
            cancellationToken
        );
    }

    /// <summary>Writes the anchor of a store that has everything that the one before said.</summary>
    private async ValueTask<bool> KeepAsync(
        StoreAnchor anchor,
        AnchorReading.Found? before,
        long opening,
        DateTimeOffset? vaultChangedAt,
        CancellationToken cancellationToken
    )
    {
        var (finding, writing) = (
            new AnchorFinding(opening, anchor.Epoch) { AnchorEpoch = anchor.Epoch },
            await place.WriteAsync(anchor, before?.Version ?? 0, cancellationToken)
        );
        switch (writing)
        {
            case AnchorWriting.Conflict:
                return false;
            case AnchorWriting.Barred barred:
                _finding = finding with { AnchorEpoch = null, NotKept = Unkept };
                Say(LogLevel.Error, $"{Unkept} {barred.Why}");
                return true;
            case AnchorWriting.Failed failed:
                // It may be there; the one before is what was seen.
                _finding = finding with
                {
                    AnchorEpoch = before?.Anchor.Epoch,
                };
                Say(LogLevel.Warning, $"The store's anchor could not be written. {failed.Why}");
                return true;
        }

        _finding = finding;
        Failpoint.Pass("anchor-written");
        await store.CommitAsync(
            new StateChange.AnchorWritten
            {
                Epoch = anchor.Epoch,
                Serial = anchor.Serial,
                VaultChangedAt = vaultChangedAt,
                Event = null,
            },
            cancellationToken
        );
        Say(LogLevel.Information, null);
        return true;
    }

    /// <summary>Why Vault is older than it was: it does not hold the anchor that the store remembers. Null where it may.</summary>
    private static string? WhyBehind(StoreEpoch store, AnchorReading reading) =>
        (store.Anchored, reading) switch
        {
            (0, _) => null,
            (_, AnchorReading.None) => "Vault has gone back: the store's anchor is not there any more.",
            (_, AnchorReading.Barred barred) =>
                $"Vault has gone back, or somebody took the broker's right to the store's anchor there: {barred.Why} If it is "
                    + "the latter: credbroker vault setup --apply.",
            (_, AnchorReading.Found { Anchor: var anchor })
                when (anchor.Epoch, anchor.Serial).CompareTo((store.Number, store.Anchored)) < 0 =>
                "Vault has gone back: the store's anchor there is older than the one that was written last.",
            _ => null,
        };

    private async ValueTask<IReadOnlyList<AuditPosition>> MissingAsync(
        StoreAnchor anchor,
        StoreEpoch now,
        CancellationToken cancellationToken
    )
    {
        var missing = new List<AuditPosition>();
        foreach (var head in anchor.Heads.Except(now.Heads))
        {
            if (!await store.Epoch.HasAsync(head, cancellationToken))
            {
                missing.Add(head);
            }
        }

        return missing;
    }

    /// <summary>Says it once, and once that it is over.</summary>
    private void Say(LogLevel level, string? what)
    {
        if (what == _said)
        {
            return;
        }

        _said = what;
        if (what is null)
        {
            LogAgrees(logger);
        }
        else
        {
            LogDoubt(logger, level, what);
        }
    }

    [LoggerMessage(
        EventId = 5112,
        Level = LogLevel.Information,
        Message = "The store agrees with its anchor in Vault."
    )]
    private static partial void LogAgrees(ILogger logger);

    [LoggerMessage(EventId = 5113, Message = "{What}")]
    private static partial void LogDoubt(ILogger logger, LogLevel level, string what);
}
