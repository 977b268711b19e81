using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Owners;

/// <summary>
/// Asks the directories, each as often as it says, about every owner that the policy in force names: <list type="number">
/// <item>ask for each who is not on record as gone,</item>
/// <item>stop where too many are gone at once: that is a broken directory, and not everybody's leaving,</item>
/// <item>retire who is gone, as an admin would.</item>
/// </list>
/// Nobody comes back by it: that a person is known again says nothing about why they were retired. Every broker asks for
/// itself; a person is retired once.
/// </summary>
public sealed partial class DirectoryCheck
{
    /// <summary>
    /// After so many without an answer, one after the other, the rest is not asked for in this pass, and first in the next.
    /// </summary>
    public const int MaxUnknownInARow = 3;

    private static readonly AuditActor Actor = AuditActor.Broker("directory");
    private static readonly CallContext Call = new(null, "");

    private readonly List<Watched> _watched;
    private readonly OwnerOrders _owners;
    private readonly PolicyControl _policy;
    private readonly IBrokerStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger<DirectoryCheck> _log;

    /// <summary>Nothing is asked before the first pass.</summary>
    public DirectoryCheck(
        IEnumerable<IPeopleDirectory> directories,
        OwnerOrders owners,
        PolicyControl policy,
        IBrokerStore store,
        TimeProvider time,
        ILogger<DirectoryCheck> log
    )
    {
        (_owners, _policy, _store, _time, _log) = (owners, policy, store, time, log);
        var now = time.GetUtcNow();
        _watched = [.. directories.Select(directory => new Watched(directory, now))];
    }

    /// <summary>How far each directory's word goes.</summary>
    public IReadOnlyList<DirectoryStanding> Standings => [.. _watched.Select(watched => watched.Standing)];

    /// <summary>Asks the directories that are due. Never twice at once.</summary>
    public async ValueTask RunAsync(CancellationToken cancellationToken) =>
        await Task.WhenAll(
            _watched
                .Where(watched =>
                    watched.AskedAt is not { } last || _time.GetElapsedTime(last) >= watched.Directory.Every
                )
                .Select(watched => PassAsync(watched, cancellationToken))
        );

    private async Task PassAsync(Watched watched, CancellationToken cancellationToken)
    {
        if (_policy.Current is not { } active)
        {
            return;
        }

        var directory = watched.Directory;
        watched.AskedAt = _time.GetTimestamp();
        var subjects = active
            .Set.Processes.Values.Where(process => process.HasOwner && process.Owner!.Issuer == directory.Issuer)
            .Select(process => process.Owner!.Subject)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        var pass = await DirectoryPass.RunAsync(directory, watched.InTurn(subjects), cancellationToken);
        watched.Next = pass.Next ?? watched.Next;
        var (gone, answered, why) = (pass.Gone, pass.Answered, pass.Why);
        var unknown = subjects.Count - answered;
        if (unknown > 0 && why != watched.Standing.Why)
        {
            NotSaid(directory.Issuer, unknown, why);
        }

        // Counted against those whom it spoke of: one that says little is believed less.
        var isDoubted = gone.Count > directory.MaxGone && gone.Count * 2 > answered;
        if (isDoubted && watched.Standing.Doubted == 0)
        {
            await DoubtAsync(directory, answered, gone.Count);
        }

        watched.Standing = watched.Standing with
        {
            KnownAt = unknown == 0 ? _time.GetUtcNow() : watched.Standing.KnownAt,
            Unknown = unknown,
            Why = why,
            Doubted = isDoubted ? gone.Count : 0,
            Answered = answered,
        };
        foreach (var (subject, reason) in isDoubted ? [] : gone)
        {
            await RetireAsync(directory.Issuer, subject, reason, cancellationToken);
        }
    }

    private async ValueTask DoubtAsync(IPeopleDirectory directory, int answered, int gone)
    {
        Doubted(directory.Issuer, gone, answered);
        await _store.CommitAsync(
            new StateChange.EventRecorded
            {
                Event = new()
                {
                    What = new DirectoryDoubted
                    {
                        Issuer = directory.Issuer,
                        Answered = answered,
                        Gone = gone,
                    },
                    Actor = Actor,
                },
            },
            CancellationToken.None
        );
    }

    private async ValueTask RetireAsync(
        string issuer,
        string subject,
        string reason,
        CancellationToken cancellationToken
    )
    {
        var retired = await _owners.RetireAsync(issuer, subject, reason, Actor, Call, cancellationToken);
        if (retired.Passes(out var owner, out var refusal))
        {
            Retired(issuer, subject, reason, owner.Processes.Count);
        }
        else
        {
            NotRetired(issuer, subject, refusal.CodeText, refusal.Detail);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The directory of {Issuer} did not say of {Count} owners whether they are there: {Why}"
    )]
    private partial void NotSaid(string issuer, int count, string why);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The directory of {Issuer} says that {Gone} of {Answered} owners are gone, all at once: nobody is retired. "
            + "See to its settings and its data; who has left, credbroker owners retire says"
    )]
    private partial void Doubted(string issuer, int gone, int answered);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Subject} of {Issuer} is retired as an owner of {Processes} processes ({Reason})"
    )]
    private partial void Retired(string issuer, string subject, string reason, int processes);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{Subject} of {Issuer} is gone by the directory's word and not retired yet: {Code} {Detail}"
    )]
    private partial void NotRetired(string issuer, string subject, string code, string detail);

    private sealed class Watched(IPeopleDirectory directory, DateTimeOffset now)
    {
        public IPeopleDirectory Directory => directory;

        public long? AskedAt { get; set; }

        /// <summary>
        /// With whom a pass begins. A pass that reaches everybody leaves it as it is: those who are never answered for stay
        /// behind all others.
        /// </summary>
        public string? Next { get; set; }

        public IReadOnlyList<string> InTurn(IReadOnlyList<string> subjects) =>
            [
                .. subjects.Where(subject => string.CompareOrdinal(subject, Next) >= 0),
                .. subjects.Where(subject => string.CompareOrdinal(subject, Next) < 0),
            ];

        // Read by whoever asks for health.
        private volatile DirectoryStanding _standing = new() { Issuer = directory.Issuer, KnownAt = now };

        public DirectoryStanding Standing
        {
            get => _standing;
            set => _standing = value;
        }
    }
}
