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
/// <item>stop where too many are gone at once, or nobody is found: that is a broken directory, and not everybody's
/// leaving,</item>
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

    /// <summary>
    /// How long a directory is asked in one pass: its word is no older when it is acted on, and no other waits longer for it.
    /// </summary>
    public static readonly TimeSpan PassLimit = TimeSpan.FromMinutes(1);

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
        var pass = await DirectoryPass.RunAsync(directory, watched.InTurn(subjects), _time, cancellationToken);
        watched.Next = pass.Next ?? watched.Next;
        var (gone, answered, why) = (pass.Gone, pass.Answered, pass.Why);
        var unknown = subjects.Count - answered;
        if (unknown > 0 && why != watched.Standing.Why)
        {
            NotSaid(directory.Issuer, unknown, why);
        }

        // Counted against those whom it spoke of: one that says little is believed less. And one that found nobody may just
        // have lost them all; of a sole owner it cannot find another.
        var isTooMany = gone.Count > directory.MaxGone && gone.Count * 2 > answered;
        var findsNobody = pass.Present == 0 && subjects.Count > 1;
        var believed = gone.Where(one => !isTooMany && (one.Said.IsFound || !findsNobody)).ToList();
        var doubted = gone.Count - believed.Count;
        var isTold = doubted == 0 || watched.IsDoubtTold || await TryDoubtAsync(directory, answered, doubted);
        watched.IsDoubtTold = doubted > 0 && isTold;
        watched.NotRetired.Clear();
        foreach (var (subject, said) in believed)
        {
            if (!await TryRetireAsync(directory.Issuer, subject, said.Reason, cancellationToken))
            {
                watched.NotRetired.Add(subject);
            }
        }

        watched.Standing = watched.Standing with
        {
            KnownAt = unknown == 0 ? _time.GetUtcNow() : watched.Standing.KnownAt,
            Unknown = unknown,
            Why = why,
            Doubted = doubted,
            NotRetired = watched.NotRetired.Count,
            Answered = answered,
        };
        if (watched.NotRetired.Count > 0 || !isTold)
        {
            // It is asked again then: what it said may have changed before the store takes it.
            watched.AskedAt = null;
        }
    }

    /// <summary>Whether the doubt is on record.</summary>
    private async ValueTask<bool> TryDoubtAsync(IPeopleDirectory directory, int answered, int gone)
    {
        Doubted(directory.Issuer, gone, answered);
        try
        {
            return await RecordDoubtAsync(directory, answered, gone) is CommitOutcome.Committed;
        }
        catch (StoreUnavailableException fault)
        {
            DoubtNotRecorded(fault, directory.Issuer);
            return false;
        }
    }

    private ValueTask<CommitOutcome> RecordDoubtAsync(IPeopleDirectory directory, int answered, int gone) =>
        _store.CommitAsync(
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

    /// <summary>Whether the person is on record as gone; each is tried, whatever came of the one before.</summary>
    private async ValueTask<bool> TryRetireAsync(
        string issuer,
        string subject,
        string reason,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var retired = await _owners.RetireAsync(issuer, subject, reason, Actor, Call, cancellationToken);
            if (retired.Passes(out var owner, out var refusal))
            {
                Retired(issuer, subject, reason, owner.Processes.Count);
                return true;
            }

            NotRetired(null, issuer, subject, $"{refusal.CodeText} {refusal.Detail}");
        }
        catch (Exception fault) when (fault is StoreUnavailableException or ArgumentException)
        {
            NotRetired(fault, issuer, subject, fault.Message);
        }

        return false;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The directory of {Issuer} did not say of {Count} owners whether they are there: {Why}"
    )]
    private partial void NotSaid(string issuer, int count, string why);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The directory of {Issuer} says that {Gone} of {Answered} owners are gone, and too few are there: they are not retired. "
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
        Message = "{Subject} of {Issuer} is gone by the directory's word and not retired yet: {Why}"
    )]
    private partial void NotRetired(Exception? fault, string issuer, string subject, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "That the directory of {Issuer} is doubted is not on record yet")]
    private partial void DoubtNotRecorded(Exception fault, string issuer);

    private sealed class Watched(IPeopleDirectory directory, DateTimeOffset now)
    {
        public IPeopleDirectory Directory => directory;

        public long? AskedAt { get; set; }

        /// <summary>
        /// With whom a pass begins. A pass that reaches everybody leaves it as it is: those who are never answered for stay
        /// behind all others.
        /// </summary>
        public string? Next { get; set; }

        /// <summary>Who is gone by its word and could not be retired.</summary>
        public HashSet<string> NotRetired { get; } = new(StringComparer.Ordinal);

        /// <summary>Whether it is on record that it is doubted.</summary>
        public bool IsDoubtTold { get; set; }

        /// <summary>Those who are still to be retired, then everybody from where the pass before ended, and round.</summary>
        public IReadOnlyList<string> InTurn(IReadOnlyList<string> subjects) =>
            [
                .. subjects
                    .OrderByDescending(NotRetired.Contains)
                    .ThenByDescending(subject => string.CompareOrdinal(subject, Next) >= 0)
                    .ThenBy(subject => subject, StringComparer.Ordinal),
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
