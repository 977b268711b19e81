using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Http;

namespace CredBroker.UnitTests.Vault;

/// <content>One credential whose backend hangs, and Vault's own limit, take nothing from the others.</content>
public sealed partial class VaultSecretIssuerTests
{
    private const string DbPath = "database/creds/cb-test-db";

    private static CatalogueEntry Other => Entry("other", new VaultBinding.Database("database", "cb-test-other"));

    [Fact]
    public async Task Hundreds_of_makings_that_hang_take_nothing_from_other_credentials_nor_from_revocation()
    {
        Answer("other", "cb-test-other");
        var hang = new TaskCompletionSource();
        _answers[DbPath] = async context =>
        {
            await hang.Task;
            context.Abort();
        };
        var makings = Enumerable.Range(0, 300).Select(_ => Task.Run(() => MintAsync(Database))).ToList();
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(Sent(DbPath) >= 3 && makings.Exists(making => making.IsCompleted)),
            "as many as may be open hang, and as many as may wait do"
        );

        Assert.IsType<MintOutcome.Minted>(await MintAsync(Other));
        Assert.IsType<RevokeOutcome.Confirmed>(
            await Issuer.RevokeAsync(Lease() with { VaultLeaseId = $"{DbPath}/1", Accessor = "acc" }, default)
        );
        Assert.True((await Issuer.ProbeAsync(default)).CanIssue);
        Assert.Equal(3, Sent(DbPath));

        hang.SetResult();
        var outcomes = await Task.WhenAll(makings);
        Assert.InRange(Sent(DbPath), 3, 6);
        Assert.Equal(Sent(DbPath), outcomes.Count(outcome => outcome is MintOutcome.Unknown));
        Assert.All(
            outcomes.OfType<MintOutcome.Refused>(),
            refused => Assert.Equal(RefusalCode.CredentialPaused, refused.Refusal.Code)
        );
    }

    [Fact]
    public async Task All_credentials_of_one_backend_together_hold_few_makings_open_and_those_of_others_go_on()
    {
        const int Credentials = 16;
        Answer("other", "cb-test-other");
        var hang = new TaskCompletionSource();
        var entries = Enumerable
            .Range(0, Credentials)
            .Select(i =>
                Entry($"db{i}", new VaultBinding.Database($"mount{i % 2}", $"cb-test-db{i}")) with
                {
                    Connection = new(i % 3 == 0 ? "db.example" : "DB.example", 5432, $"database{i}", "disable"),
                }
            )
            .ToList();
        for (var i = 0; i < Credentials; i++)
        {
            Answer($"db{i}", $"cb-test-db{i}");
            _answers[$"mount{i % 2}/creds/cb-test-db{i}"] = async context =>
            {
                await hang.Task;
                context.Abort();
            };
        }

        // Each has its token before the clock is turned, which would end the calls that make them.
        var prepared = await Task.WhenAll(
            entries.SelectMany(entry => Enumerable.Repeat(entry, 4)).Select(PrepareAsync)
        );
        Assert.Equal(64, SentAll("auth/token/create/cb-test-db"));
        var makings = prepared
            .Select(one => Task.Run(() => Issuer.MintAsync(one.Plan, one.Child, default).AsTask()))
            .ToList();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(SentAll("/creds/cb-test-db") >= 4), "all have begun");
        await Eventually.BecomesTrueAsync(
            () =>
            {
                // Until the broker's own patience is over: the calls stay open in Vault all the same.
                _time.Advance(TimeSpan.FromSeconds(5));
                return Task.FromResult(makings.TrueForAll(making => making.IsCompleted));
            },
            "each agent has its answer"
        );

        Assert.Equal(4, SentAll("/creds/cb-test-db"));
        var refused = (await Task.WhenAll(makings)).OfType<MintOutcome.Refused>().ToList();
        Assert.Equal(60, refused.Count);
        Assert.All(refused, outcome => Assert.Equal(RefusalCode.CredentialPaused, outcome.Refusal.Code));

        // Said before anything is made for it, and when to come again.
        foreach (var entry in entries)
        {
            var paused = Assert.IsType<PrepareOutcome.Refused>(await Issuer.PrepareAsync(Plan(entry), default)).Refusal;
            Assert.Equal(RefusalCode.CredentialPaused, paused.Code);
            Assert.InRange(paused.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        }

        Assert.IsType<MintOutcome.Minted>(await MintAsync(Other));
        hang.SetResult();
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                // Its credential may be one of those that hung, which are given a pause of their own.
                _time.Advance(TimeSpan.FromMinutes(1));
                return await Issuer.PrepareAsync(Plan(entries[^1]), default) is PrepareOutcome.Prepared;
            },
            "Vault has let go of what hung"
        );
    }

    [Fact]
    public async Task Many_databases_that_hang_at_once_leave_room_in_Vault_and_those_that_are_well_go_on()
    {
        const int Dead = 16;
        Answer("other", "cb-test-other");
        var hang = new TaskCompletionSource();
        var entries = new List<CatalogueEntry>();
        for (var i = 0; i < Dead; i++)
        {
            entries.Add(
                Entry($"db{i}", new VaultBinding.Database("database", $"cb-test-db{i}")) with
                {
                    Connection = new($"db{i}.example", 5432, "database", "disable"),
                }
            );
            Answer($"db{i}", $"cb-test-db{i}");
            _answers[$"database/creds/cb-test-db{i}"] = async context =>
            {
                await hang.Task;
                context.Abort();
            };
        }

        var makings = entries
            .SelectMany(entry => Enumerable.Repeat(entry, 4))
            .Select(entry => Task.Run(() => MintAsync(entry)))
            .ToList();
        await Eventually.BecomesTrueAsync(
            () =>
                Task.FromResult(
                    SentAll("/creds/cb-test-db") >= Dead && SentAll("auth/token/create/cb-test-db") == 4 * Dead
                ),
            "all have begun"
        );
        Assert.IsType<MintOutcome.Minted>(await MintAsync(Other));
        await Eventually.BecomesTrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(5));
                return Task.FromResult(makings.TrueForAll(making => making.IsCompleted));
            },
            "each agent has its answer"
        );

        // One at each, and the share of what may be open beside.
        Assert.Equal(Dead + 8, SentAll("/creds/cb-test-db"));
        foreach (var entry in entries)
        {
            var paused = Assert.IsType<PrepareOutcome.Refused>(await Issuer.PrepareAsync(Plan(entry), default)).Refusal;
            Assert.Equal(RefusalCode.CredentialPaused, paused.Code);
        }

        Assert.IsType<MintOutcome.Minted>(await MintAsync(Other));
        hang.SetResult();
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                // Its credential may be one of those that hung, which are given a pause of their own.
                _time.Advance(TimeSpan.FromMinutes(1));
                return await Issuer.PrepareAsync(Plan(entries[^1]), default) is PrepareOutcome.Prepared;
            },
            "Vault has let go of what hung"
        );
    }

    [Fact]
    public async Task A_credential_that_hangs_leaves_a_place_for_another_of_the_same_backend()
    {
        Answer("other", "cb-test-other");
        var hang = new TaskCompletionSource();
        _answers[DbPath] = async context =>
        {
            await hang.Task;
            context.Abort();
        };
        var makings = Enumerable.Range(0, 8).Select(_ => Task.Run(() => MintAsync(Database))).ToList();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(Sent(DbPath) == 3), "as many as may be open hang");

        Assert.Equal(Database.Backend, Other.Backend);
        Assert.IsType<MintOutcome.Minted>(await MintAsync(Other));

        hang.SetResult();
        await Task.WhenAll(makings);
    }

    [Fact]
    public async Task A_credential_that_does_not_answer_is_paused_alone_and_tried_again_after_its_pause()
    {
        Answer("other", "cb-test-other");
        _answers[DbPath] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        for (var i = 0; i < 3; i++)
        {
            Assert.IsType<MintOutcome.Unknown>(await MintAsync(Database));
        }

        var paused = Assert.IsType<PrepareOutcome.Refused>(await Issuer.PrepareAsync(Plan(Database), default)).Refusal;
        Assert.Equal(RefusalCode.CredentialPaused, paused.Code);
        Assert.InRange(paused.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Assert.IsType<MintOutcome.Minted>(await MintAsync(Other));
        Assert.Equal(3, Sent(DbPath));

        _time.Advance(paused.RetryAfter.Value);
        Answer("db", "cb-test-db");
        Assert.IsType<MintOutcome.Minted>(await MintAsync(Database));
        Assert.IsType<MintOutcome.Minted>(await MintAsync(Database));
    }

    [Fact]
    public async Task Vaults_own_limit_has_its_code_and_its_wait_and_pauses_nothing()
    {
        _answers[DbPath] = _answers["auth/token/create/cb-test-other"] = context =>
        {
            context.Response.Headers.RetryAfter = "7";
            return Refusal(429, "request path \"x\": rate limit quota exceeded")(context);
        };
        for (var i = 0; i < 30; i++)
        {
            foreach (
                var refusal in new[]
                {
                    Assert.IsType<MintOutcome.Refused>(await MintAsync(Database)).Refusal,
                    Assert.IsType<PrepareOutcome.Refused>(await Issuer.PrepareAsync(Plan(Other), default)).Refusal,
                }
            )
            {
                Assert.Equal((RefusalCode.VaultBusy, TimeSpan.FromSeconds(7)), (refusal.Code, refusal.RetryAfter));
            }
        }

        Answer("db", "cb-test-db");
        Assert.IsType<MintOutcome.Minted>(await MintAsync(Database));
    }

    [Fact]
    public async Task A_probe_that_Vaults_limit_refuses_keeps_the_last_proof_while_it_is_recent()
    {
        _answers["auth/token/create/cb-test-probe"] = Refusal(429, "rate limit quota exceeded");
        Assert.Equal(RefusalCode.VaultBusy, (await Issuer.ProbeAsync(default)).Refusal?.Code);

        Answer("probe", "cb-test-probe");
        Assert.True((await Issuer.ProbeAsync(default)).CanIssue);
        _answers["auth/token/create/cb-test-probe"] = Refusal(429, "rate limit quota exceeded");
        Assert.True((await Issuer.ProbeAsync(default)).CanIssue);

        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.False((await Issuer.ProbeAsync(default)).CanIssue);
    }

    [Fact]
    public async Task A_revocation_without_an_answer_is_not_sent_again_and_says_that_there_was_none()
    {
        _answers["sys/leases/revoke"] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };

        var failed = Assert.IsType<RevokeOutcome.Failed>(
            await Issuer.RevokeAsync(Lease() with { VaultLeaseId = $"{DbPath}/1", Accessor = "acc" }, default)
        );

        Assert.True(failed.IsUnanswered);
        Assert.Equal(1, Sent("sys/leases/revoke"));
        _answers["sys/leases/revoke"] = Refusal(400, "connection refused");
        failed = Assert.IsType<RevokeOutcome.Failed>(
            await Issuer.RevokeAsync(Lease() with { VaultLeaseId = $"{DbPath}/1", Accessor = "acc" }, default)
        );
        Assert.False(failed.IsUnanswered);
    }

    private int Sent(string path) =>
        Vault.Requests.Count(request => request.EndsWith($" {path}", StringComparison.Ordinal));

    private int SentAll(string part) =>
        Vault.Requests.Count(request => request.Contains(part, StringComparison.Ordinal));

    /// <summary>From now on the credential's child tokens and secrets are made.</summary>
    private void Answer(string name, string role)
    {
        _answers[$"auth/token/create/cb-test-{name}"] = Json(
            $$$"""
            {"auth":{"client_token":"{{{ChildValue}}}",
             "accessor":"acc","lease_duration":90,"renewable":true,"orphan":true,"token_policies":["p"]}}
            """
        );
        _answers[$"database/creds/{role}"] = Json(
            $$$"""
            {"lease_id":"database/creds/{{{role}}}/1","lease_duration":600,"data":{"username":"u","password":"p"}}
            """
        );
    }
}
