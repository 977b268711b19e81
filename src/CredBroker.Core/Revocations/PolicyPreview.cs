using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>
/// Which live leases and open time boxes a policy would end, and which open questions to people it would take back, and
/// why, before it is applied: what <see cref="PolicyReevaluation"/> and the sweeps of approvals and time boxes would, as it
/// stands now. Nothing is changed.
/// </summary>
public sealed class PolicyPreview(IBrokerStore store, PolicyControl control)
{
    /// <summary>How many leases of each kind are listed; all are counted.</summary>
    public const int MaxListed = 10_000;

    /// <summary>Compiles the document and tries it on every live lease, pending ones included.</summary>
    public async ValueTask<PolicyPreviewResult> RunAsync(PolicyDocument document, CancellationToken cancellationToken)
    {
        var compilation = PolicyCompiler.Compile(document);
        var result = new PolicyPreviewResult(compilation.Set, compilation.Faults);
        if (compilation.Set is not { } compiled)
        {
            return result;
        }

        var policy = control.WithOwners(compiled);

        string? next = null;
        do
        {
            var page = await store.Leases.ListAsync(
                new()
                {
                    States = LeaseStates.Live,
                    After = next,
                    Limit = 1000,
                },
                cancellationToken
            );
            result.Add(page, policy, cancellationToken);
            next = page.Next;
        } while (next is not null);

        var now = store.Position;
        foreach (var approval in await store.Approvals.ListOpenAsync(cancellationToken))
        {
            // One whose time is over ends by that.
            if (approval.StateAt(now) != ApprovalState.Expired)
            {
                result.Add(approval, ApprovalFate.Of(approval, policy));
            }
        }

        long? box = 0;
        while (box is { } after)
        {
            (var open, box) = await store.TimeBoxes.ListOpenAsync(after, 500, cancellationToken);
            foreach (var timeBox in open.Where(timeBox => timeBox.IsOpenAt(now)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                result.Add(timeBox, ApprovalFate.Of(timeBox.Approval, policy));
            }
        }

        return result;
    }
}

/// <summary>What a preview found.</summary>
/// <param name="policy">The policy; null where the document has faults.</param>
/// <param name="faults">Every fault of the document.</param>
public sealed class PolicyPreviewResult(PolicySet? policy, IReadOnlyList<PolicyFault> faults)
{
    private readonly List<(Lease Lease, string Rule)> _ended = [];
    private readonly List<(Lease Lease, DateTimeOffset EndsAt)> _shortened = [];
    private readonly List<(Approval Approval, ApprovalFate Fate)> _voided = [];
    private readonly List<(TimeBox TimeBox, ApprovalFate Fate)> _endedTimeBoxes = [];

    /// <summary>The policy; null where the document has faults.</summary>
    public PolicySet? Policy => policy;

    /// <summary>Every fault of the document.</summary>
    public IReadOnlyList<PolicyFault> Faults => faults;

    /// <summary>How many leases are live and can be read.</summary>
    public int Live { get; private set; }

    /// <summary>How many it would end.</summary>
    public int EndedCount { get; private set; }

    /// <summary>How many it would end earlier than they are to.</summary>
    public int ShortenedCount { get; private set; }

    /// <summary>Those it would end, with the rule or code that no longer allows them; the first of them.</summary>
    public IReadOnlyList<(Lease Lease, string Rule)> Ended => _ended;

    /// <summary>Those it would end earlier; the first of them.</summary>
    public IReadOnlyList<(Lease Lease, DateTimeOffset EndsAt)> Shortened => _shortened;

    /// <summary>How many questions to people are open.</summary>
    public int OpenApprovals { get; private set; }

    /// <summary>Those that it would take back, and what it says to them instead; never more than may be open.</summary>
    public IReadOnlyList<(Approval Approval, ApprovalFate Fate)> Voided => _voided;

    /// <summary>How many time boxes are open.</summary>
    public int OpenTimeBoxes { get; private set; }

    /// <summary>How many of them it would end.</summary>
    public int EndedTimeBoxesCount { get; private set; }

    /// <summary>Those, and what it says to what was approved instead; the first of them.</summary>
    public IReadOnlyList<(TimeBox TimeBox, ApprovalFate Fate)> EndedTimeBoxes => _endedTimeBoxes;

    /// <summary>Ids of live leases whose record is damaged: any new version ends them.</summary>
    public List<string> Unreadable { get; } = [];

    internal void Add(Approval approval, ApprovalFate? fate)
    {
        OpenApprovals++;
        if (fate is not null)
        {
            _voided.Add((approval, fate));
        }
    }

    internal void Add(TimeBox timeBox, ApprovalFate? fate)
    {
        OpenTimeBoxes++;
        if (fate is not null)
        {
            EndedTimeBoxesCount++;
            if (_endedTimeBoxes.Count < PolicyPreview.MaxListed)
            {
                _endedTimeBoxes.Add((timeBox, fate));
            }
        }
    }

    /// <exception cref="OperationCanceledException">It was given up, as it may be at each lease.</exception>
    internal void Add(LeasePage page, PolicySet policy, CancellationToken cancellationToken)
    {
        foreach (var lease in page.Leases)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Add(lease, LeaseFate.Of(lease, policy));
        }

        // What it was allowed for cannot be read: nothing allows it.
        Unreadable.AddRange(page.Unreadable.Select(lease => lease.Id));
    }

    private void Add(Lease lease, LeaseFate fate)
    {
        Live++;
        if (fate.EndedBy is { } rule)
        {
            EndedCount++;
            if (_ended.Count < PolicyPreview.MaxListed)
            {
                _ended.Add((lease, rule));
            }
        }
        else if (fate.EndsAt is { } endsAt)
        {
            ShortenedCount++;
            if (_shortened.Count < PolicyPreview.MaxListed)
            {
                _shortened.Add((lease, endsAt));
            }
        }
    }
}
