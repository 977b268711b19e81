using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>
/// What a policy would have said to the requests of the past, denied ones included: a list of what lives now says little
/// about tomorrow. Each request's record in the audit log has all that it was decided from; nothing is changed. A page
/// at a time, so that one question costs a bounded amount of work and whoever hangs up ends it.
/// </summary>
public sealed class PolicyReplay(IAuditLog audit, TimeProvider time)
{
    /// <summary>How many records of the log a page reads at most.</summary>
    public const int MaxScanned = 20_000;

    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(2);

    /// <summary>One page: the records of a range of time after the cursor, until there are none or it is enough.</summary>
    public async ValueTask<PolicyReplayPage> RunAsync(
        PolicySet policy,
        DateTimeOffset from,
        DateTimeOffset to,
        AuditCursor? after,
        CancellationToken cancellationToken
    )
    {
        var page = new PolicyReplayPage();
        var began = time.GetTimestamp();
        await foreach (var record in audit.ReadAsync(from, to, after, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Add(page, policy, record);
            page.Scanned++;
            if (page.Scanned >= MaxScanned || time.GetElapsedTime(began) >= MaxTime)
            {
                page.Next = new(record.Stream, record.Sequence);
                break;
            }
        }

        // Afterwards: what was cut off meanwhile is said, too.
        page.ArchivedUntil =
            await audit.ArchivedAsync(cancellationToken) is { } archive && archive.Latest >= from
                ? archive.Latest
                : null;
        return page;
    }

    private static void Add(PolicyReplayPage page, PolicySet policy, AuditRecord record)
    {
        switch (AuditRecordHeader.Read(record.Bytes.Span)?.Type)
        {
            case null:
                page.Unreadable++;
                break;
            case RequestAllowed.TypeName or RequestDenied.TypeName:
                Replay(page, policy, record);
                break;
            case RequestsRefusedCounted.TypeName:
                page.Counted += Total(record);
                break;
        }
    }

    private static void Replay(PolicyReplayPage page, PolicySet policy, AuditRecord record)
    {
        DecisionRecord? decision;
        try
        {
            using var json = JsonDocument.Parse(record.Bytes);
            if (!json.RootElement.TryGetProperty("details", out var details))
            {
                // A denial of something that policy was not asked about.
                return;
            }

            decision = details.Deserialize(StateJson.Default.DecisionRecord);
        }
        catch (JsonException)
        {
            decision = null;
        }

        if (decision is null)
        {
            page.Unreadable++;
            return;
        }

        page.Add(decision, PolicyReplayVerdict.Then(decision), PolicyReplayVerdict.Now(decision, policy));
    }

    private static long Total(AuditRecord record)
    {
        try
        {
            using var json = JsonDocument.Parse(record.Bytes);
            return json.RootElement.GetProperty("details").GetProperty("total").GetInt64();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // It counts at least one.
            return 1;
        }
    }
}
