using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Vault;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Vault;

/// <summary>
/// The issuer against a Vault that misbehaves on purpose; what a real one does is tested on a real one.
/// </summary>
public sealed partial class VaultSecretIssuerTests : IAsyncLifetime
{
    private const string OwnToken = "own-token-of-the-broker";
    private const string ChildValue = "child-token-of-the-test";
    private readonly FakeTimeProvider _time = new();
    private readonly string _tokenFile = Path.GetTempFileName();
    private readonly LogLines _log = new();
    private readonly Dictionary<string, Func<HttpContext, Task>> _answers = [];
    private string _reaping = "";
    private ScriptedVault? _vault;
    private VaultSecretIssuer? _issuer;

    private VaultSecretIssuer Issuer => _issuer!;

    private ScriptedVault Vault => _vault!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_tokenFile, OwnToken);
        _vault = await ScriptedVault.StartAsync(context =>
            _answers.TryGetValue(context.Request.Path.Value![4..], out var answer)
                ? answer(context)
                : ScriptedVault.NoContentAsync(context)
        );
        _issuer = new(
            _vault.Options(_tokenFile) with
            {
                CallTimeout = TimeSpan.FromSeconds(5),
                MintTimeout = TimeSpan.FromSeconds(5),
            },
            _time,
            new Logger<VaultSecretIssuer>(_log)
        );
        _answers["sys/health"] = ScriptedVault.Raw("""{"initialized":true,"sealed":false,"standby":false}""");
        _answers["auth/token/lookup-self"] = Json("""{"data":{"ttl":7200,"creation_ttl":7200,"renewable":true}}""");
        _answers["auth/token/lookup-accessor"] = Refusal(400, "invalid accessor");
        _answers["sys/leases/lookup"] = Json("""{"data":{"issue_time":"2026-01-01T00:00:00Z","ttl":60}}""");
        _answers["auth/token/create/cb-test-probe"] =
            _answers["auth/token/create/cb-test-db"] =
            _answers["auth/token/create/cb-test-tok"] =
            _answers["auth/token/create/cb-test-pki"] =
                Json(
                    $$$"""
                    {"auth":{"client_token":"{{{ChildValue}}}",
                     "accessor":"acc","lease_duration":90,"renewable":true,"orphan":true,"token_policies":["p"]}}
                    """
                );
    }

    public async ValueTask DisposeAsync()
    {
        _issuer?.Dispose();
        await Vault.DisposeAsync();
        File.Delete(_tokenFile);
        _log.Dispose();
    }

    [Fact]
    public async Task A_proof_grows_stale()
    {
        Assert.True((await Issuer.ProbeAsync(default)).CanIssue);
        _time.Advance(TimeSpan.FromSeconds(179));
        Assert.True(Issuer.Status.CanIssue);

        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(RefusalCode.IssuingPaused, Issuer.Status.Refusal?.Code);
    }

    [Theory]
    [InlineData("auth/token/create/cb-test-probe", 403)]
    [InlineData("auth/token/revoke-accessor", 403)]
    [InlineData("auth/token/lookup-accessor", 403)]
    [InlineData("sys/leases/revoke", 403)]
    [InlineData("auth/token/lookup-self", 503)]
    public async Task Without_any_one_part_of_the_proof_nothing_is_issued(string path, int status)
    {
        _answers[path] = Refusal(status, "no");

        Assert.False((await Issuer.ProbeAsync(default)).CanIssue);
        Assert.False(Issuer.Status.CanIssue);
    }

    [Fact]
    public async Task A_probe_token_that_is_still_there_after_its_revocation_proves_nothing()
    {
        _answers["auth/token/lookup-accessor"] = Json("""{"data":{"ttl":60}}""");

        Assert.False((await Issuer.ProbeAsync(default)).CanIssue);
    }

    /// <summary>What stands in front of Vault, and is not Vault.</summary>
    public static TheoryData<int, string> NotVault =>
        new()
        {
            { 200, "" },
            { 200, "{}" },
            { 200, "null" },
            { 200, """{"status":"ok","data":{"ttl":1}}""" },
            { 200, """{"request_id":""}""" },
            { 200, """{"standby":false}""" },
            { 200, "<html>Welcome</html>" },
            { 201, """{"request_id":"1"}""" },
            // Vault has accepted the revocation, and not carried it out.
            { 202, """{"request_id":"1"}""" },
            { 206, "" },
        };

    [Fact]
    public async Task No_log_line_at_any_level_holds_a_token_or_an_agents_refusal_Vaults_words()
    {
        _answers["database/creds/cb-test-db"] = Refusal(400, "role \"internal-name\" at 10.1.2.3 refused");
        await Issuer.ProbeAsync(default);

        var refused = Assert.IsType<MintOutcome.Refused>(await MintAsync(Database));

        Assert.DoesNotContain("internal-name", refused.Refusal.Detail);
        Assert.Contains(_log.Lines, line => line.Contains("internal-name", StringComparison.Ordinal));
        Assert.DoesNotContain(
            _log.Lines,
            line =>
                line.Contains(OwnToken, StringComparison.Ordinal) || line.Contains(ChildValue, StringComparison.Ordinal)
        );
    }

    private static CatalogueEntry Database => Entry("db", new VaultBinding.Database("database", "cb-test-db"));

    private static CatalogueEntry Token => Entry("tok", new VaultBinding.Token("cb-test-tok-token"));

    private async Task<MintOutcome> MintAsync(CatalogueEntry entry)
    {
        var (plan, child) = await PrepareAsync(entry);
        return await Issuer.MintAsync(plan, child, default);
    }

    private async Task<(IssuancePlan Plan, ChildToken? Child)> PrepareAsync(CatalogueEntry entry)
    {
        var plan = Plan(entry);
        var prepared = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default));
        return (plan, prepared.Child);
    }

    private IssuancePlan Plan(CatalogueEntry entry) =>
        new()
        {
            LeaseId = Ids.New(_time),
            Identity = new()
            {
                Proof = ProofMethod.JwtSvid,
                Issuer = "https://idp",
                Subject = "s",
                Workload = "w",
                ProofExpiresAt = DateTimeOffset.MaxValue,
                ProofHash = "",
            },
            Agent = "a",
            Task = new("t", "p", ""),
            Grant = new()
            {
                Entry = entry,
                Process = new()
                {
                    Name = "p",
                    ToleratesRuntimeAction = true,
                    Agents = ["a"],
                },
                Ttl = TimeSpan.FromMinutes(1),
                MaxTtl = entry.MaxTtl,
                TtlCut = false,
            },
            Anchor = new("s", 1, "h"),
        };

    private Lease Lease()
    {
        var plan = Plan(Database);
        return new()
        {
            Id = plan.LeaseId,
            State = LeaseState.Revoking,
            Decision = new()
            {
                Id = "d",
                PolicyVersion = 1,
                Identity = plan.Identity,
                Task = plan.Task,
                Request = new() { Credential = "db", Actions = ["read"] },
                Verdict = new()
                {
                    Effect = PolicyEffect.Allow,
                    PolicyHash = "",
                    Grant = plan.Grant,
                },
            },
            OpenedAt = default,
            IssuanceDeadline = default,
        };
    }

    private static CatalogueEntry Entry(string name, VaultBinding vault) =>
        new()
        {
            Name = name,
            Vault = vault,
            Access = AccessKind.Read,
            Impact = ImpactLevel.Low,
            Reversible = true,
            Actions = ["read"],
            MaxTtl = TimeSpan.FromMinutes(10),
        };

    /// <summary>Makes the reaper's token, and remembers which lease it is named after.</summary>
    private async Task ReaperTokenAsync(HttpContext context)
    {
        var asked = await JsonNode.ParseAsync(context.Request.Body);
        _reaping = asked!["display_name"]!.GetValue<string>()["cb-".Length..];
        await _answers["auth/token/create/cb-test-db"](context);
    }

    /// <summary>Answers as the reaper of that lease.</summary>
    private Task ReapedAsync(HttpContext context) =>
        Json($$$"""{"lease_id":"x","lease_duration":60,"data":{"username":"cb-{{{_reaping}}}_12345678"}}""")(context);

    private static Func<HttpContext, Task> Json(string text) => ScriptedVault.Answer(text);

    private static Func<HttpContext, Task> Refusal(int status, string words) =>
        context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(
                new JsonObject { ["errors"] = words.Length == 0 ? [] : new JsonArray(words) }.ToJsonString()
            );
        };

    private sealed class LogLines : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) { }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => Lines.Enqueue(formatter(state, exception) + exception);

        public void Dispose() { }
    }
}
