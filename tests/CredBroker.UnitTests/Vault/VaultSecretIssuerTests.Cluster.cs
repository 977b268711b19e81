using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
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
    public async Task Another_cluster_confirms_nothing_is_told_no_token_and_stops_issuing()
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
        cluster.Accept(new("one", null));
        Assert.Null(cluster.Refusal);
        _answers["database/creds/cb-test-db-reap"] = ReapedAsync;
        _answers["auth/token/create/cb-test-db-reap"] = ReaperTokenAsync;
        Func<Lease, Lease>[] kinds = [OfAToken, OfAUser, OfACertificate];
        foreach (var kind in kinds)
        {
            Assert.IsType<RevokeOutcome.Confirmed>(await issuer.RevokeAsync(kind(Lease()), default));
        }

        Assert.IsType<RevokeOutcome.Unproven>(await issuer.RevokeAsync(Lease() with { Accessor = "acc" }, default));

        // A new Vault knows none of them, and says so.
        IsCluster("two");
        _answers["sys/leases/lookup"] = Refusal(400, "invalid lease");
        foreach (var kind in kinds.Append(lease => lease with { Accessor = "acc" }))
        {
            var failed = Assert.IsType<RevokeOutcome.Failed>(await issuer.RevokeAsync(kind(Lease()), default));
            Assert.Contains("Vault is the cluster two, not one", failed.Error, StringComparison.Ordinal);
        }

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
        cluster.Accept(new("two", _time.GetUtcNow()));
        var (before, after) = (_time.GetUtcNow().AddSeconds(-1), _time.GetUtcNow());

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

    private void IsCluster(string? id) =>
        _answers["sys/health"] = ScriptedVault.Raw(
            $$"""{"standby":false,"cluster_id":{{(id is null ? "null" : $"\"{id}\"")}}}"""
        );
}
