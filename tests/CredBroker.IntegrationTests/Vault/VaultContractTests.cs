using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Vault;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// What every Vault that the broker works with must do: one suite, run on a real OpenBao and on DevVault. A subclass
/// gives the settings of a Vault that is prepared for the four entries of <see cref="Catalogue"/>, with
/// <c>{"key":"s3cr3t"}</c> at <c>secret/payments/api-key</c>.
/// </summary>
public abstract class VaultContractTests : IAsyncLifetime
{
    private VaultSecretIssuer? _issuer;

    private protected VaultSecretIssuer Issuer => _issuer!;

    private protected VaultOptions Options { get; private set; } = new();

    public async ValueTask InitializeAsync()
    {
        Options = await PrepareAsync();
        Assert.Empty(Options.Validate());
        _issuer = new VaultSecretIssuer(
            Options,
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<VaultSecretIssuer>.Instance
        );
    }

    public virtual ValueTask DisposeAsync()
    {
        _issuer?.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>Starts and prepares the Vault. Skips where it cannot be had.</summary>
    protected abstract Task<VaultOptions> PrepareAsync();

    [Fact]
    public async Task Nothing_may_be_issued_before_revoking_is_proven()
    {
        Assert.Equal(RefusalCode.IssuingPaused, Issuer.Status.Refusal?.Code);

        var status = await Issuer.ProbeAsync(default);

        Assert.True(status.CanIssue, status.Refusal?.Detail);
        Assert.True(Issuer.Status.CanIssue);
    }

    [Fact]
    public async Task An_anchor_is_read_as_it_was_written_and_replaced_by_who_has_read_it_alone()
    {
        var place = new VaultAnchor(Issuer, Options);
        if (await place.ReadAsync(default) is not AnchorReading.Found { Version: var version })
        {
            Assert.IsType<AnchorReading.None>(await place.ReadAsync(default));
            version = 0;
        }

        var head = new AuditPosition(new('a', 32), 7, new('b', 64));
        var anchor = new StoreAnchor(3, 12, [head, head with { Sequence = 8 }]);
        Assert.IsType<AnchorWriting.Written>(await place.WriteAsync(anchor, version, default));
        Assert.IsType<AnchorWriting.Conflict>(await place.WriteAsync(anchor with { Serial = 99 }, version, default));

        var found = Assert.IsType<AnchorReading.Found>(await place.ReadAsync(default));
        Assert.Equal((version + 1, 3, 12), (found.Version, found.Anchor.Epoch, found.Anchor.Serial));
        Assert.Equal(anchor.Heads, found.Anchor.Heads);
        Assert.IsType<AnchorWriting.Written>(
            await place.WriteAsync(anchor with { Serial = 13 }, found.Version, default)
        );

        // Another installation's is barred, and that is no fault of Vault's.
        var other = new VaultAnchor(Issuer, Options with { Installation = "other" });
        Assert.IsType<AnchorReading.Barred>(await other.ReadAsync(default));
        Assert.IsType<AnchorWriting.Barred>(await other.WriteAsync(anchor, 0, default));
    }

    [Fact]
    public async Task A_key_value_secret_is_one_read_with_no_handle()
    {
        var plan = Plan(Catalogue.KeyValue);

        var prepared = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default));
        var minted = Assert.IsType<MintOutcome.Minted>(await Issuer.MintAsync(plan, prepared.Child, default));

        Assert.Null(prepared.Child);
        Assert.Equal(
            "s3cr3t",
            JsonElement
                .Parse(Assert.IsType<IssuedSecret.Values>(minted.Secret).Json.Reveal())
                .GetProperty("key")
                .GetString()
        );
        Assert.Null(minted.Handles.VaultLeaseId);
        Assert.Equal("secret/payments/api-key version 1", minted.Handles.PublicName);
    }

    [Fact]
    public async Task A_key_value_secret_that_is_not_there_is_refused()
    {
        var entry = Catalogue.KeyValue with { Vault = new VaultBinding.KeyValue("secret", "payments/api-key/none") };

        var refused = Assert.IsType<MintOutcome.Refused>(await Issuer.MintAsync(Plan(entry), null, default));

        // Forbidden, because the broker's policy names the values of the catalogue; missing, where it may look.
        Assert.Contains(refused.Refusal.Code, new[] { RefusalCode.VaultForbids, RefusalCode.VaultMissing });
    }

    [Fact]
    public async Task A_signed_certificate_has_the_identitys_name_and_the_agents_key_and_nothing_of_the_requests_names()
    {
        var (csr, key) = NewRequest();
        using var _ = key;

        var (_, _, minted) = await IssueAsync(Catalogue.Sign, csr, TimeSpan.FromMinutes(5));

        var secret = Assert.IsType<IssuedSecret.Certificate>(minted.Secret);
        using var certificate = X509Certificate2.CreateFromPem(secret.Pem);
        Assert.Null(secret.PrivateKey);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal("", certificate.Subject);
        Assert.Contains(
            $"URI:{Issuance.SpiffeId}",
            certificate.Extensions.Single(extension => extension.Oid?.Value == "2.5.29.17").Format(false)
        );
        Assert.DoesNotContain("somebody-else", certificate.ToString(true));
        Assert.InRange(
            certificate.NotAfter.ToUniversalTime(),
            DateTime.UnixEpoch,
            TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(5).AddSeconds(2)
        );
        Assert.NotEmpty(secret.Chain);
        Assert.Equal(secret.Serial, minted.Handles.PublicName);
        Assert.StartsWith("pki/sign/cb-test-agent-mtls/", minted.Handles.VaultLeaseId);
    }

    [Fact]
    public async Task A_certificate_that_Vault_made_comes_with_its_key()
    {
        var (_, _, minted) = await IssueAsync(Catalogue.Issue, null);

        var secret = Assert.IsType<IssuedSecret.Certificate>(minted.Secret);
        using var pair = X509Certificate2.CreateFromPem(secret.Pem, secret.PrivateKey!.Reveal());
        Assert.True(pair.HasPrivateKey);
        Assert.Equal("CN=triage.agents.example", pair.Subject);
    }

    [Fact]
    public async Task A_revoked_certificate_is_confirmed_and_stands_in_the_revocation_list()
    {
        var (csr, key) = NewRequest();
        using var _ = key;
        var (plan, child, minted) = await IssueAsync(Catalogue.Sign, csr);
        var lease = Lease(plan, child, minted);

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));

        using var http = new HttpClient(new SocketsHttpHandler());
        var list = await http.GetByteArrayAsync(In(Options.Namespace, "pki/crl"));
        var serial = Convert.FromHexString(minted.Handles.PublicName.Replace(":", "", StringComparison.Ordinal));
        Assert.True(list.AsSpan().IndexOf(serial) > 0, "the serial is not in the revocation list");
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));
    }

    [Fact]
    public async Task An_identity_without_a_name_gets_no_certificate_and_no_token_is_made_for_it()
    {
        var (csr, key) = NewRequest();
        using var _ = key;
        var nameless = Issuance.Identity with { SpiffeId = "" };

        var refused = Assert.IsType<PrepareOutcome.Refused>(
            await Issuer.PrepareAsync(Plan(Catalogue.Sign, identity: nameless, csr: csr), default)
        );

        Assert.Equal(RefusalCode.NamesEmpty, refused.Refusal.Code);
    }

    [Fact]
    public async Task The_leases_of_a_role_are_listed_until_they_are_revoked()
    {
        var (csr, key) = NewRequest();
        using var _ = key;
        var before = TimeProvider.System.GetUtcNow().AddSeconds(-2);
        var (_, _, minted) = await IssueAsync(Catalogue.Sign, csr);

        var listed = Assert.IsType<LeaseListing.Listed>(await Issuer.ListLeasesAsync(Catalogue.Sign, default));

        var id = Assert.Single(listed.VaultLeaseIds, id => id == minted.Handles.VaultLeaseId);
        var lease = Assert.IsType<LeaseLookup.Found>(await Issuer.LookUpLeaseAsync(id, default)).Lease;
        Assert.InRange(lease.IssuedAt, before, TimeProvider.System.GetUtcNow().AddSeconds(2));
        Assert.False(lease.Revoking);
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeStrayAsync(id, default));
        Assert.DoesNotContain(
            id,
            Assert.IsType<LeaseListing.Listed>(await Issuer.ListLeasesAsync(Catalogue.Sign, default)).VaultLeaseIds
        );
        Assert.IsType<LeaseLookup.Gone>(await Issuer.LookUpLeaseAsync(id, default));
    }

    [Fact]
    public async Task Neither_a_certificate_nor_a_value_can_be_renewed()
    {
        var (csr, key) = NewRequest();
        using var _ = key;
        var (plan, child, minted) = await IssueAsync(Catalogue.Sign, csr);

        foreach (var lease in new[] { Lease(plan, child, minted), Lease(Plan(Catalogue.KeyValue), null) })
        {
            var refused = Assert.IsType<RenewOutcome.Refused>(
                await Issuer.RenewAsync(lease, TimeSpan.FromMinutes(1), default)
            );
            Assert.Equal(RefusalCode.NotRenewable, refused.Refusal.Code);
        }
    }

    [Fact]
    public async Task A_token_works_until_it_is_revoked_and_then_both_tokens_are_gone()
    {
        var (plan, child, minted) = await IssueAsync(Catalogue.Token, null, TimeSpan.FromMinutes(5));
        var token = Assert.IsType<IssuedSecret.Token>(minted.Secret);
        Assert.Equal(200, await ReadAsync(token, "secret/data/payments/api-key"));
        Assert.Equal(403, await ReadAsync(token, "sys/mounts"));
        Assert.Null(minted.Handles.VaultLeaseId);

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));

        Assert.Equal(403, await ReadAsync(token, "secret/data/payments/api-key"));
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));
    }

    [Fact]
    public async Task A_token_is_renewed_within_its_whole_life_and_never_beyond()
    {
        var before = TimeProvider.System.GetUtcNow();
        var (plan, child, minted) = await IssueAsync(Catalogue.Token, null, TimeSpan.FromMinutes(1));
        var lease = Lease(plan, child, minted);

        var renewed = Assert.IsType<RenewOutcome.Renewed>(
            await Issuer.RenewAsync(lease, TimeSpan.FromMinutes(5), default)
        );
        var capped = Assert.IsType<RenewOutcome.Renewed>(
            await Issuer.RenewAsync(lease, TimeSpan.FromHours(5), default)
        );

        var after = TimeProvider.System.GetUtcNow();
        Assert.InRange(renewed.EndsAt, before + TimeSpan.FromMinutes(4.9), after + TimeSpan.FromMinutes(5.1));
        Assert.InRange(
            capped.EndsAt,
            before + TimeSpan.FromMinutes(9.5),
            after + Catalogue.Token.MaxTtl + TimeSpan.FromSeconds(2)
        );
    }

    [Fact]
    public async Task A_child_token_whose_accessor_is_revoked_mints_nothing()
    {
        var plan = Plan(Catalogue.Token);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child!;

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAccessorAsync(child.Accessor, default));

        Assert.IsType<MintOutcome.Refused>(await Issuer.MintAsync(plan, child, default));
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAccessorAsync(child.Accessor, default));
    }

    [Fact]
    public async Task A_lease_without_a_Vault_lease_is_not_proven_gone_by_its_accessor()
    {
        var (csr, key) = NewRequest();
        using var _ = key;
        var plan = Plan(Catalogue.Sign, csr: csr);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;

        Assert.IsType<RevokeOutcome.Unproven>(await Issuer.RevokeAsync(Lease(plan, child), default));
    }

    [Fact]
    public async Task Where_setup_has_made_no_reaper_the_backend_proves_nothing()
    {
        var database = Catalogue.Entry("unprepared", new VaultBinding.Database("database", "cb-test-unprepared"));

        Assert.IsType<RevokeOutcome.Unproven>(await Issuer.ReapAsync(Lease(Plan(Catalogue.Sign), null), default));
        Assert.IsType<RevokeOutcome.Unproven>(await Issuer.ReapAsync(Lease(Plan(database), null), default));
    }

    [Fact]
    public async Task A_lease_that_Vault_does_not_know_counts_as_gone() =>
        Assert.IsType<RevokeOutcome.Confirmed>(
            await Issuer.RevokeStrayAsync("pki/sign/cb-test-agent-mtls/never-was", default)
        );

    [Fact]
    public async Task A_credential_whose_role_is_missing_is_refused_before_anything_is_made()
    {
        var entry = Catalogue.Token with
        {
            Name = "unprepared",
            Vault = new VaultBinding.Token("cb-test-unprepared-token"),
        };

        var refused = Assert.IsType<PrepareOutcome.Refused>(await Issuer.PrepareAsync(Plan(entry), default));

        Assert.Contains(refused.Refusal.Code, new[] { RefusalCode.VaultForbids, RefusalCode.VaultMissing });
    }

    [Fact]
    public async Task The_leases_of_a_role_that_is_not_this_installations_are_not_listed()
    {
        var others = Catalogue.Sign with { Vault = new VaultBinding.Pki("pki", "cb-testing-agent-mtls", PkiMode.Sign) };

        Assert.IsType<LeaseListing.NotOurs>(await Issuer.ListLeasesAsync(others, default));
        Assert.IsType<LeaseListing.NotOurs>(await Issuer.ListLeasesAsync(Catalogue.KeyValue, default));
    }

    [Fact]
    public async Task Vault_tells_of_roles_that_no_entry_names()
    {
        var (csr, key) = NewRequest();
        using var _ = key;
        await IssueAsync(Catalogue.Sign, csr);
        var path = $"pki/sign/{((VaultBinding.Pki)Catalogue.Sign.Vault).Role}";

        var known = Assert.IsType<RoleListing.Listed>(await Issuer.FindRolesAsync([Catalogue.Sign], default));
        var none = Assert.IsType<RoleListing.Listed>(await Issuer.FindRolesAsync([Catalogue.Issue], default));

        Assert.DoesNotContain(known.Unnamed, entry => entry.Name == Catalogue.Sign.Name);
        Assert.DoesNotContain(Catalogue.Sign.Name, known.TokenRoles);
        Assert.Empty(known.Forbidden);
        Assert.Contains(new VaultBinding.Dynamic(path, "GET"), none.Unnamed.Select(entry => entry.Vault));
        Assert.Contains("cb-test-agent-mtls", none.TokenRoles);
    }

    /// <summary>Prepare and mint, both expected to succeed.</summary>
    private protected async Task<(IssuancePlan Plan, ChildToken? Child, MintOutcome.Minted Minted)> IssueAsync(
        CatalogueEntry entry,
        CertificateSigningRequest? csr,
        TimeSpan? ttl = null,
        WorkloadIdentity? identity = null
    )
    {
        var plan = Plan(entry, ttl, identity, csr);
        var prepared = await Issuer.PrepareAsync(plan, default);
        Assert.True(prepared is PrepareOutcome.Prepared, prepared.ToString());
        var child = ((PrepareOutcome.Prepared)prepared).Child;
        var minted = await Issuer.MintAsync(plan, child, default);
        Assert.True(minted is MintOutcome.Minted, minted.ToString());
        return (plan, child, (MintOutcome.Minted)minted);
    }

    private Uri In(string vaultNamespace, string path) =>
        new(new Uri(Options.Address), "/v1/" + (vaultNamespace.Length > 0 ? vaultNamespace + "/" : "") + path);

    private async Task<int> ReadAsync(IssuedSecret.Token token, string path)
    {
        Assert.Equal(new Uri(Options.Address), new Uri(token.Address));
        using var http = new HttpClient(new SocketsHttpHandler());
        using var request = new HttpRequestMessage(HttpMethod.Get, In(token.Namespace, path));
        request.Headers.Add("X-Vault-Token", token.Value.Reveal());
        using var response = await http.SendAsync(request);
        return (int)response.StatusCode;
    }
}
