using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Jobs;
using CredBroker.Storage.Commit;
using CredBroker.Testing.Broker;
using CredBroker.Vault;
using Microsoft.Extensions.Logging;

namespace CredBroker.UnitTests.Vault;

/// <content>Another cluster of Vault at the same address, which answers as if all were well.</content>
public sealed partial class VaultSecretIssuerTests
{
    private static Lease OfAToken(Lease lease) => lease with { Accessor = "acc", CredentialAccessor = "cred" };

    private static Lease OfAUser(Lease lease) => lease with { Accessor = "acc", VaultLeaseId = $"{DbPath}/1" };

    private static Lease OfACertificate(Lease lease) =>
        lease with
        {
            Accessor = "acc",
            VaultLeaseId = "pki/sign/cb-test-pki/1",
            Decision = lease.Decision with
            {
                Verdict = lease.Decision.Verdict with
                {
                    Grant = lease.Grant with
                    {
                        Entry = Entry("pki", new VaultBinding.Pki("pki", "cb-test-pki", PkiMode.Sign)),
                    },
                },
            },
        };

    [Fact]
    public async Task Another_cluster_is_told_revocations_confirms_nothing_and_stops_issuing()
    {
        var cluster = new VaultCluster();
        using var issuer = new VaultSecretIssuer(
            Vault.Options(_tokenFile),
            _time,
            new Logger<VaultSecretIssuer>(_log),
            cluster
        );
        IsCluster("one");
        Assert.True((await issuer.ProbeAsync(default)).CanIssue);
        Assert.Equal(RefusalCode.IssuingPaused, cluster.Refusal?.Code);
        cluster.Accept(new("one", null, null));
        Assert.Null(cluster.Refusal);
        _answers["database/creds/cb-test-db-reap"] = ReapedAsync;
        _answers["auth/token/create/cb-test-db-reap"] = ReaperTokenAsync;
        Func<Lease, Lease>[] kinds = [OfAToken, OfAUser, OfACertificate];
        foreach (var kind in kinds)
        {
            Assert.IsType<RevokeOutcome.Confirmed>(await issuer.RevokeAsync(kind(Lease()), default));
        }

        Assert.IsType<RevokeOutcome.Unproven>(await issuer.RevokeAsync(Lease() with { Accessor = "acc" }, default));

        // A new Vault knows none of them, and says so. It is told all the same: it may be theirs by another name.
        IsCluster("two");
        _answers["sys/leases/lookup"] = Refusal(400, "invalid lease");
        Vault.Requests.Clear();
        foreach (var kind in kinds.Append(lease => lease with { Accessor = "acc" }))
        {
            var failed = Assert.IsType<RevokeOutcome.Failed>(await issuer.RevokeAsync(kind(Lease()), default));
            Assert.Contains("Vault is the cluster two, not one", failed.Error, StringComparison.Ordinal);
        }

        Assert.Equal(2, Vault.Requests.Count(request => request == "POST sys/leases/revoke"));
        Assert.Equal(1, Vault.Requests.Count(request => request == "GET database/creds/cb-test-db-reap"));
        Assert.Equal(5 + 1, Vault.Requests.Count(request => request == "POST auth/token/revoke-accessor"));
        var stray = Assert.IsType<RevokeOutcome.Failed>(await issuer.RevokeStrayAsync($"{DbPath}/1", default));
        Assert.Contains("Vault is the cluster two, not one", stray.Error, StringComparison.Ordinal);
        Assert.Equal(3, Vault.Requests.Count(request => request == "POST sys/leases/revoke"));
        Assert.IsType<LeaseListing.Failed>(await issuer.ListLeasesAsync(Database, default));
        Assert.IsType<LeaseLookup.Failed>(await issuer.LookUpLeaseAsync($"{DbPath}/1", default));
        Vault.Requests.Clear();
        Assert.Equal(RefusalCode.VaultClusterChanged, (await issuer.ProbeAsync(default)).Refusal?.Code);
        Assert.Equal(["GET sys/health"], Vault.Requests);
        Assert.Equal(RefusalCode.VaultClusterChanged, cluster.Refusal?.Code);

        // One that no longer says who it is, is no more ours.
        IsCluster(null);
        Assert.IsType<RevokeOutcome.Failed>(await issuer.RevokeAsync(OfAToken(Lease()), default));
    }

    [Fact]
    public async Task An_accepted_cluster_is_believed_only_of_what_it_knows_or_its_backend_says()
    {
        var cluster = new VaultCluster();
        using var issuer = new VaultSecretIssuer(
            Vault.Options(_tokenFile),
            _time,
            new Logger<VaultSecretIssuer>(_log),
            cluster
        );
        IsCluster("two");
        cluster.Accept(new("two", _time.GetUtcNow(), null));
        // One that was opened as it changed may have been made at either.
        var (before, after) = (_time.GetUtcNow(), _time.GetUtcNow().AddTicks(1));

        // It was restored from the first: it knows the lease, and revokes it.
        Assert.IsType<RevokeOutcome.Confirmed>(
            await issuer.RevokeAsync(OfACertificate(Lease()) with { OpenedAt = before }, default)
        );
        _answers["sys/leases/lookup"] = Refusal(400, "invalid lease");
        foreach (var kind in new Func<Lease, Lease>[] { OfAToken, OfACertificate })
        {
            Assert.IsType<RevokeOutcome.Confirmed>(
                await issuer.RevokeAsync(kind(Lease()) with { OpenedAt = after }, default)
            );
            var failed = Assert.IsType<RevokeOutcome.Failed>(
                await issuer.RevokeAsync(kind(Lease()) with { OpenedAt = before }, default)
            );
            Assert.Contains("another cluster than when it was made", failed.Error, StringComparison.Ordinal);
        }

        _answers["auth/token/create/cb-test-db-reap"] = ReaperTokenAsync;
        _answers["database/creds/cb-test-db-reap"] = Refusal(500, "connection refused");
        Assert.IsType<RevokeOutcome.Failed>(
            await issuer.RevokeAsync(OfAUser(Lease()) with { OpenedAt = before }, default)
        );
        _answers["database/creds/cb-test-db-reap"] = ReapedAsync;
        Assert.IsType<RevokeOutcome.Confirmed>(
            await issuer.RevokeAsync(OfAUser(Lease()) with { OpenedAt = before }, default)
        );
    }

    /// <summary>Of two that answer in turn the newest answer of all says nothing of the one that was asked.</summary>
    [Fact]
    public async Task What_another_cluster_answers_somebody_else_changes_nothing()
    {
        var cluster = new VaultCluster();
        using var issuer = new VaultSecretIssuer(
            Vault.Options(_tokenFile),
            _time,
            new Logger<VaultSecretIssuer>(_log),
            cluster
        );
        cluster.Accept(new("one", null, null));
        IsCluster("one");
        await WhileSomebodyElseSeesAsync(
            "two",
            async () =>
                Assert.IsType<RevokeOutcome.Confirmed>(await issuer.RevokeAsync(OfACertificate(Lease()), default))
        );

        IsCluster("two");
        Vault.Requests.Clear();
        await WhileSomebodyElseSeesAsync(
            "one",
            async () =>
            {
                Assert.Equal(RefusalCode.VaultClusterChanged, (await issuer.ProbeAsync(default)).Refusal?.Code);
                Assert.Equal(["GET sys/health"], Vault.Requests);
                var failed = Assert.IsType<RevokeOutcome.Failed>(await issuer.RevokeAsync(OfAToken(Lease()), default));
                Assert.Contains("Vault is the cluster two, not one", failed.Error, StringComparison.Ordinal);
            }
        );

        async Task WhileSomebodyElseSeesAsync(string id, Func<Task> act)
        {
            var (isOver, begun) = (false, new TaskCompletionSource());
            var somebody = Task.Run(() =>
            {
                while (!Volatile.Read(ref isOver))
                {
                    cluster.See(id);
                    begun.TrySetResult();
                }
            });
            await begun.Task;
            try
            {
                await act();
            }
            finally
            {
                Volatile.Write(ref isOver, true);
                await somebody;
            }
        }
    }

    [Fact]
    public async Task One_answer_of_another_cluster_pauses_issuing_no_longer_than_until_the_next_firing()
    {
        var (cluster, options) = (new VaultCluster(), Vault.Options(_tokenFile));
        await using var broker = await BrokerHarness.StartAsync();
        using var issuer = new VaultSecretIssuer(options, _time, new Logger<VaultSecretIssuer>(_log), cluster);
        var job = new VaultProbeJob(issuer, new ClusterMemory(broker.Store, cluster), options, _time);
        IsCluster("one");
        await job.Execute(null!, default);
        Assert.Null(cluster.Refusal);
        cluster.See("two");
        Assert.NotNull(cluster.Refusal);

        await job.Execute(null!, default);

        Assert.Null(cluster.Refusal);
    }

    /// <summary>The admin's word ends the pause of revocations, on a full disk, too.</summary>
    [Fact]
    public void Accepting_a_cluster_is_among_what_disk_is_kept_for() =>
        Assert.True(
            new PreparedChange(
                new StateChange.VaultClusterAccepted
                {
                    Cluster = "two",
                    Home = new("prod", ""),
                    Expected = "one",
                    ExpectedHome = new("prod", ""),
                    Event = new()
                    {
                        What = new VaultClusterAccepted
                        {
                            Cluster = "two",
                            Before = "one",
                            Installation = "prod",
                            Namespace = "",
                            Reason = "moved",
                        },
                        Actor = BrokerHarness.Admin,
                    },
                }
            ).EndsSecrets
        );

    [Fact]
    public async Task Whoever_uses_a_namespace_is_told_which_cluster_answers()
    {
        var cluster = new VaultCluster();
        using var issuer = new VaultSecretIssuer(
            Vault.Options(_tokenFile) with
            {
                Namespace = "team/a",
            },
            _time,
            new Logger<VaultSecretIssuer>(_log),
            cluster
        );
        IsCluster("one");
        var health = _answers["sys/health"];
        // It is there in the root namespace only.
        _answers["sys/health"] = context =>
            context.Request.Headers.ContainsKey("X-Vault-Namespace")
                ? Refusal(404, "unsupported path")(context)
                : health(context);

        Assert.True((await issuer.ProbeAsync(default)).CanIssue);
        Assert.Equal("one", cluster.Seen);
        Assert.IsType<RevokeOutcome.Confirmed>(await issuer.RevokeAsync(OfACertificate(Lease()), default));
    }

    /// <summary>
    /// Two clusters behind one name: each connection leads to one of them. Only what the one that is believed was told
    /// itself, after it had said who it is, counts.
    /// </summary>
    [Fact]
    public async Task A_revocation_is_asked_told_and_proven_over_one_connection()
    {
        var cluster = new VaultCluster();
        cluster.Accept(new("one", null, null));
        using var issuer = new VaultSecretIssuer(
            Vault.Options(_tokenFile),
            _time,
            new Logger<VaultSecretIssuer>(_log),
            cluster
        );
        IsCluster("one");
        _answers["sys/leases/revoke"] = ScriptedVault.NoContentAsync;
        _answers["auth/token/revoke-accessor"] = ScriptedVault.NoContentAsync;
        Assert.IsType<RevokeOutcome.Confirmed>(await issuer.RevokeAsync(OfACertificate(Lease()), default));

        var asked = new List<(string Call, string Connection)>();
        foreach (var (path, answer) in _answers.ToArray())
        {
            _answers[path] = context =>
            {
                asked.Add((path, context.Connection.Id));
                return answer(context);
            };
        }

        // The end of one proof is the beginning of the next.
        Assert.IsType<RevokeOutcome.Confirmed>(await issuer.RevokeAsync(OfACertificate(Lease()), default));
        Assert.Equal(
            ["sys/leases/lookup", "sys/leases/revoke", "auth/token/revoke-accessor", "sys/health"],
            asked.Select(one => one.Call)
        );
        Assert.Single(asked.Select(one => one.Connection).Distinct());

        // But not for long.
        asked.Clear();
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.IsType<RevokeOutcome.Confirmed>(await issuer.RevokeAsync(OfACertificate(Lease()), default));
        Assert.Equal(["sys/health", "sys/leases/lookup"], asked.Take(2).Select(one => one.Call));

        // The connection ends in between, and the next one may lead anywhere.
        foreach (var path in new[] { "sys/leases/lookup", "sys/leases/revoke", "auth/token/revoke-accessor" })
        {
            var answer = _answers[path];
            _answers[path] = context =>
            {
                context.Response.Headers.Connection = "close";
                return answer(context);
            };
            var failed = Assert.IsType<RevokeOutcome.Failed>(
                await issuer.RevokeAsync(OfACertificate(Lease()), default)
            );
            Assert.Contains("the connection changed within a proof", failed.Error, StringComparison.Ordinal);
            Assert.IsType<RevokeOutcome.Failed>(
                await issuer.RevokeStrayAsync($"{DbPath}/1", default) switch
                {
                    // A stray's proof has no lookup and no token.
                    RevokeOutcome.Confirmed when path != "sys/leases/revoke" => failed,
                    var stray => stray,
                }
            );
            _answers[path] = answer;
        }

        Assert.IsType<RevokeOutcome.Confirmed>(await issuer.RevokeAsync(OfACertificate(Lease()), default));
    }

    private void IsCluster(string? id) =>
        _answers["sys/health"] = ScriptedVault.Raw(
            $$"""{"standby":false,"cluster_id":{{(id is null ? "null" : $"\"{id}\"")}}}"""
        );
}
