using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Testing.Broker;
using Microsoft.AspNetCore.Http;

namespace CredBroker.UnitTests.Audit;

/// <summary>
/// A broker through which everything happens that can happen, and what its audit log then holds: the bodies of the
/// records by type, with ids and hashes replaced, each once, in ordinal order.
/// </summary>
internal sealed partial class AuditScenario : IAsyncDisposable
{
    private static readonly IdentityProof Triage = FakeWorkloadVerifier.Token("triage");
    private readonly SortedDictionary<string, SortedSet<string>> _bodies = new(StringComparer.Ordinal);
    private readonly BrokerHarness _broker;

    private AuditScenario(BrokerHarness broker) => _broker = broker;

    /// <summary>Runs it and returns the bodies, by the type of their event.</summary>
    public static async Task<IReadOnlyDictionary<string, SortedSet<string>>> RunAsync()
    {
        await using var scenario = new AuditScenario(await BrokerHarness.StartAsync());
        await scenario.AskAsync();
        await scenario.HoldAsync();
        await scenario.FailAsync();
        await scenario.ChangePolicyAsync();
        await scenario.OrderAsync();
        await scenario.RefuseAsync();
        await scenario.ActAsAdminAsync();
        await scenario.AwaitAsync();
        await scenario.ComeLateAsync();
        await scenario.AskPeopleAsync();
        await scenario.GoBackAsync();
        await scenario.ReadAsync(scenario._broker.Audit);
        await scenario.StartTwiceAsync();
        return scenario._bodies;
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    /// <summary>Requests: allowed, denied, refused, counted.</summary>
    private async Task AskAsync()
    {
        await _broker.IssueAsync();
        await _broker.IssueAsync(BrokerHarness.Command(credential: "api-key", ttl: TimeSpan.FromMinutes(2)));
        _broker.Issuer.AfterMint = (_, minted) =>
            Task.FromResult<MintOutcome>(minted with { Handles = new(null, "accessor-of-the-credential", "name") });
        await _broker.IssueAsync();
        _broker.Issuer.AfterMint = null;
        await _broker.RefusedAsync(BrokerHarness.Command(workload: "helper"));
        var garbage = BrokerHarness.Command() with { Proof = new IdentityProof.Bearer(new SecretText("garbage")) };
        var elsewhere = garbage with { Call = garbage.Call with { Source = "10.0.0.9" } };
        for (var i = 0; i < 32; i++)
        {
            await _broker.RefusedAsync(garbage);
            await _broker.RefusedAsync(elsewhere);
        }

        await _broker.RefusedAsync(elsewhere);

        await _broker.RefusedCalls.FlushAsync(CancellationToken.None);
    }

    /// <summary>What an agent does with its lease.</summary>
    private async Task HoldAsync()
    {
        var tool = new ToolCall("send", JsonDocument.Parse("{\n\"to\": \"ñ<b>\", \"n\": [1.50, null] }").RootElement);
        var asked = BrokerHarness.Command(ttl: TimeSpan.FromMinutes(2));
        var lease = await _broker.IssueAsync(asked with { Request = asked.Request with { ToolCall = tool } });
        await ReportAsync(lease, new("succeeded", "done: \"7\"\n", null));
        await ReportAsync(lease, new("failed", "", tool));
        await ReportAsync(lease, new("abandoned", "", tool with { Name = "other" }));
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        await RenewAsync(lease, null);
        await RenewAsync(lease, TimeSpan.FromSeconds(1));
        await _broker.Agents.FindAsync(Triage, "not an id", BrokerHarness.Call, CancellationToken.None);
        await _broker.Agents.FindAsync(
            FakeWorkloadVerifier.Token("helper"),
            lease.Id,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await ReleaseAsync(lease);
        await RenewAsync(lease, null);
        await ReleaseAsync(await _broker.IssueAsync(BrokerHarness.Command(credential: "api-key")));
    }

    /// <summary>A mint whose answer is lost, where nobody can ask the backend what came of it.</summary>
    private async Task AwaitAsync()
    {
        _broker.Issuer.HasReaper = false;
        _broker.Issuer.AfterMint = (_, minted) =>
        {
            _broker.Issuer.Alive.TryRemove(minted.Handles.VaultLeaseId!, out var _);
            return Task.FromResult<MintOutcome>(
                new MintOutcome.Unknown(new(RefusalCode.MintOutcomeUnknown, "no reply"))
            );
        };
        await _broker.RefusedAsync(BrokerHarness.Command(task: "t-awaited"));
        _broker.Time.Advance(TimeSpan.FromSeconds(91));
        await _broker.Retry.RunAsync(CancellationToken.None);
        var waiting = (await _broker.LeasesAsync(LeaseState.Revoking)).First(lease =>
            lease.Decision.Task.Id == "t-awaited"
        );
        await new LeaseConfirmation(_broker.Store).ConfirmAsync(
            waiting.Id,
            "pg_roles holds no such user",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        (_broker.Issuer.HasReaper, _broker.Issuer.AfterMint) = (true, null);
    }

    /// <summary>What goes wrong at Vault.</summary>
    private async Task FailAsync()
    {
        _broker.Issuer.AfterMint = (_, minted) =>
            Task.FromResult<MintOutcome>(
                new MintOutcome.Wrong(new(RefusalCode.SecretNotAsAsked, "other names"), minted.Handles)
            );
        await _broker.RefusedAsync(BrokerHarness.Command());
        _broker.Issuer.AfterMint = (_, minted) =>
        {
            _broker.Issuer.Alive[minted.Handles.VaultLeaseId!] = "nobody";
            return Task.FromResult<MintOutcome>(
                new MintOutcome.Unknown(new(RefusalCode.MintOutcomeUnknown, "no reply"))
            );
        };
        await _broker.RefusedAsync(BrokerHarness.Command());
        _broker.Issuer.AfterMint = null;
        _broker.Time.Advance(TimeSpan.FromSeconds(91));
        await _broker.Retry.RunAsync(CancellationToken.None);

        var lease = await _broker.IssueAsync();
        _broker.Issuer.BackendDown = true;
        await ReleaseAsync(lease);
        _broker.Issuer.BackendDown = false;
        _broker.Time.Advance(TimeSpan.FromSeconds(31));
        await _broker.Retry.RunAsync(CancellationToken.None);

        await _broker.IssueAsync();
        _broker.Time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));
        await _broker.ExpireAsync();
    }

    /// <summary>Policy edits, good and bad, and what they do to a lease.</summary>
    private async Task ChangePolicyAsync()
    {
        var first = HarnessPolicy.Text();
        var lease = await _broker.IssueAsync();
        await ApplyAsync(HarnessPolicy.Text(maxTtl: "4m"));
        await ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));
        await RenewAsync(await _broker.LeaseAsync(lease.Id), null);
        await ApplyAsync(first);
        await ApplyAsync("agents: 7");
        await _broker.ApplyAsync(HarnessPolicy.Text(comment: "again"));
    }

    /// <summary>What people hold, with and without taking back what there is.</summary>
    private async Task RefuseAsync()
    {
        var (selector, admin, call) = (new LeaseSelector { Agent = "triage" }, BrokerHarness.Admin, BrokerHarness.Call);
        (await _broker.Holds.PlaceAsync(selector, null, "look <first>", admin, call, CancellationToken.None)).Passes(
            out var hold,
            out _
        );
        await _broker.RefusedAsync(BrokerHarness.Command());
        await _broker.Holds.LiftAsync(hold!.Id, "false \"alarm\"", admin, call, CancellationToken.None);
        _broker.Issuer.ForbiddenPlaces.Add("archive/");
        (
            await _broker.Holds.QuarantineAsync(
                new() { Everything = true },
                TimeSpan.FromHours(2),
                "",
                admin,
                call,
                CancellationToken.None
            )
        ).Passes(out hold, out _);
        await _broker.Retry.RunAsync(CancellationToken.None);
        await _broker.Holds.LiftAsync(hold!.Id, "over", admin, call, CancellationToken.None);
        var (issuer, none) = ("https://people.example", CancellationToken.None);
        await _broker.Owners.RetireAsync(issuer, "owner-1", "left \"us\"", admin, call, none);
        await _broker.Owners.ReinstateAsync(issuer, "owner-1", "is back", admin, call, none);
    }

    /// <summary>What people order, and tasks that end.</summary>
    private async Task OrderAsync()
    {
        await _broker.IssueAsync();
        var selector = new LeaseSelector { Process = "invoice-triage", Agent = "triage" };
        await _broker.Revocations.DryRunAsync(
            selector,
            "rehearsal",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.Revocations.OrderAsync(
            selector,
            "incident <7>",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.Retry.RunAsync(CancellationToken.None);
        await CloseAsync("t-1", "helper");
        await CloseAsync("t-1", "triage");
        await _broker.Revocations.CloseTaskAsync(
            "invoice-triage",
            "t-2",
            null,
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.Retry.RunAsync(CancellationToken.None);
    }

    /// <summary>People who look at something.</summary>
    private async Task ActAsAdminAsync()
    {
        var actions = new PeopleActions(_broker.Store, _broker.RefusedCalls, _broker.Time);
        var person = new CallingPerson(
            new()
            {
                Issuer = "https://people.example",
                Subject = "ada",
                Roles = new HashSet<PersonRole>(),
                Groups = [],
                ProofExpiresAt = DateTimeOffset.MaxValue,
                ProofHash = "hash",
            },
            BrokerHarness.Call,
            "ListLeases"
        );
        await actions.RecordAsync(person, CancellationToken.None);
        await actions.RecordAsync(person, new QueryString("?agent=triage&limit=5"), CancellationToken.None);
        await actions.RecordRefusedAsync(person, new(RefusalCode.RoleMissing, "no role"));
        await actions.RecordAsync(person with { Operation = null }, CancellationToken.None);
        for (var i = 0; i < 4; i++)
        {
            await actions.RecordAsync(person, CancellationToken.None);
        }

        await actions.RecordAsync(person, new QueryString("?agent=triage&limit=5"), CancellationToken.None);
        await actions.FlushAsync(CancellationToken.None);
        await actions.FlushAsync(CancellationToken.None);
    }

    /// <summary>A secret that comes when its lease is over.</summary>
    private async Task ComeLateAsync()
    {
        _broker.Issuer.BeforeMint = async _ =>
        {
            _broker.Time.Advance(TimeSpan.FromSeconds(31));
            await _broker.Pending.RunAsync(CancellationToken.None);
            _broker.Time.Advance(TimeSpan.FromSeconds(91));
            await _broker.Retry.RunAsync(CancellationToken.None);
        };
        await _broker.RefusedAsync(BrokerHarness.Command(task: "t-3"));
    }

    private async Task ReadAsync(IAuditLog log)
    {
        await foreach (
            var record in log.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, CancellationToken.None)
        )
        {
            var text = Encoding.UTF8.GetString(record.Bytes.Span);
            var type = AuditRecordHeader.Read(record.Bytes.Span)!.Type;
            var body = "{" + text[text.IndexOf("\"type\":", StringComparison.Ordinal)..];
            if (!_bodies.TryGetValue(type, out var bodies))
            {
                _bodies.Add(type, bodies = new(StringComparer.Ordinal));
            }

            bodies.Add(WithoutIds(body));
        }
    }

    /// <summary>Ids by their order in the record, and hashes by one word; a trace id stays.</summary>
    private static string WithoutIds(string body)
    {
        var ids = new List<string>();
        return HashOrId()
            .Replace(
                body,
                found =>
                {
                    if (found.Value == BrokerHarness.Call.TraceId)
                    {
                        return found.Value;
                    }

                    if (found.Length == 64)
                    {
                        return "<hash>";
                    }

                    if (!ids.Contains(found.Value))
                    {
                        ids.Add(found.Value);
                    }

                    return $"<id-{ids.IndexOf(found.Value) + 1}>";
                }
            );
    }

    [GeneratedRegex("[0-9a-f]{64}|[0-9a-f]{32}", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex HashOrId();

    private async Task ApplyAsync(string policy)
    {
        _broker.PolicySource.Text = policy;
        await _broker.Policy.RefreshAsync(CancellationToken.None);
        await _broker.Reevaluation.RunAsync(CancellationToken.None);
        await _broker.Retry.RunAsync(CancellationToken.None);
    }

    private ValueTask<LeaseOutcome> RenewAsync(Lease lease, TimeSpan? ttl) =>
        _broker.Agents.RenewAsync(Triage, lease.Id, ttl, BrokerHarness.Call, CancellationToken.None);

    private ValueTask<LeaseOutcome> ReleaseAsync(Lease lease) =>
        _broker.Agents.ReleaseAsync(Triage, lease.Id, BrokerHarness.Call, CancellationToken.None);

    private ValueTask<LeaseOutcome> ReportAsync(Lease lease, TaskReport report) =>
        _broker.Agents.ReportAsync(Triage, lease.Id, report, BrokerHarness.Call, CancellationToken.None);

    private ValueTask<Refusal?> CloseAsync(string task, string workload) =>
        _broker.Tasks.CloseAsync(
            FakeWorkloadVerifier.Token(workload),
            "invoice-triage",
            task,
            BrokerHarness.Call,
            CancellationToken.None
        );
}
