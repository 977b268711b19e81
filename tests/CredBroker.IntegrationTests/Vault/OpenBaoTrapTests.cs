using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Vault;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Logging.Abstractions;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// What a real OpenBao does that a careless client would not expect: first the trap is shown, then that the broker does
/// not step into it.
/// </summary>
public sealed class OpenBaoTrapTests(PreparedBao prepared) : IClassFixture<PreparedBao>, IAsyncLifetime
{
    private BaoEnvironment? _environment;
    private VaultSecretIssuer? _issuer;

    private TestBao Bao => _environment!.Bao;

    private VaultSecretIssuer Issuer => _issuer!;

    public async ValueTask InitializeAsync()
    {
        _environment = await prepared.GetAsync(Catalogue.KeyValue, Catalogue.Sign, Catalogue.Token);
        _issuer = New(_environment.Options);
    }

    public ValueTask DisposeAsync()
    {
        _issuer?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_requests_own_limit_is_ignored_at_renewal_and_the_roles_is_not()
    {
        await Bao.SendAsync(
            HttpMethod.Post,
            "auth/token/roles/lax",
            JsonNode.Parse("""{"orphan":true,"renewable":true,"allowed_policies":["default"],"token_type":"service"}""")
        );
        var lax = await Bao.SendAsync(
            HttpMethod.Post,
            "auth/token/create/lax",
            JsonNode.Parse("""{"ttl":"60s","explicit_max_ttl":"60s"}""")
        );
        Assert.Equal(600, await RenewAsync(lax.GetProperty("auth").GetProperty("accessor").GetString()!, "600s"));

        var started = TimeProvider.System.GetTimestamp();
        var child = Assert
            .IsType<PrepareOutcome.Prepared>(
                await Issuer.PrepareAsync(Plan(Catalogue.Token, TimeSpan.FromMinutes(1)), default)
            )
            .Child!;
        var left = await RenewAsync(child.Accessor, "3600s");
        Assert.InRange(left, 600 - (long)TimeProvider.System.GetElapsedTime(started).TotalSeconds, 630);
    }

    [Fact]
    public async Task A_life_of_no_seconds_would_be_thirty_two_days()
    {
        var made = await Bao.SendAsync(
            HttpMethod.Post,
            "auth/token/create",
            JsonNode.Parse("""{"ttl":"0s","policies":["default"]}""")
        );
        Assert.Equal(
            TimeSpan.FromDays(32).TotalSeconds,
            made.GetProperty("auth").GetProperty("lease_duration").GetInt64()
        );

        var before = TimeProvider.System.GetUtcNow();
        var child = Assert
            .IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(Plan(Catalogue.Token, TimeSpan.Zero), default))
            .Child!;
        Assert.InRange(child.EndsAt, before, TimeProvider.System.GetUtcNow().AddSeconds(31));
    }

    [Fact]
    public async Task A_certificate_from_a_role_that_takes_the_requests_names_is_not_delivered_and_is_revoked()
    {
        // The defaults of a PKI role: names come from the CSR, and common_name too.
        await Bao.SendAsync(
            HttpMethod.Post,
            "pki/roles/cb-test-lax",
            JsonNode.Parse(
                """
                {"allowed_uri_sans":["*"],"allow_any_name":true,
                 "generate_lease":true,"max_ttl":"600s","key_type":"any","require_cn":false,"enforce_hostnames":false}
                """
            )
        );
        await AllowAsync("lax-mtls", "pki/sign/cb-test-lax", "update");
        var entry = Catalogue.Sign with
        {
            Name = "lax-mtls",
            Vault = new VaultBinding.Pki("pki", "cb-test-lax", PkiMode.Sign),
        };
        var (csr, key) = NewRequest();
        using var _ = key;
        var plan = Plan(entry, csr: csr);
        var child = await PrepareAsync(plan);

        var wrong = Assert.IsType<MintOutcome.Wrong>(await Issuer.MintAsync(plan, child, default));

        Assert.Equal(RefusalCode.SecretNotAsAsked, wrong.Refusal.Code);
        Assert.StartsWith("pki/sign/cb-test-lax/", wrong.Handles.VaultLeaseId);
        var lease = Lease(plan, child) with { VaultLeaseId = wrong.Handles.VaultLeaseId };
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));
    }

    [Fact]
    public async Task A_certificate_without_a_lease_is_not_delivered()
    {
        await Bao.SendAsync(
            HttpMethod.Post,
            "pki/roles/cb-test-leaseless",
            JsonNode.Parse(
                """
                {"allowed_uri_sans":["*"],"use_csr_common_name":false,
                 "use_csr_sans":false,"require_cn":false,"max_ttl":"600s","key_type":"any"}
                """
            )
        );
        await AllowAsync("leaseless", "pki/sign/cb-test-leaseless", "update");
        var entry = Catalogue.Sign with
        {
            Name = "leaseless",
            Vault = new VaultBinding.Pki("pki", "cb-test-leaseless", PkiMode.Sign),
        };
        var (csr, key) = NewRequest();
        using var _ = key;
        var plan = Plan(entry, csr: csr);

        var wrong = Assert.IsType<MintOutcome.Wrong>(await Issuer.MintAsync(plan, await PrepareAsync(plan), default));

        Assert.Null(wrong.Handles.VaultLeaseId);
    }

    [Fact]
    public async Task Vaults_own_audit_log_names_lease_task_and_agent_in_clear_and_no_secret()
    {
        var plan = Plan(Catalogue.Token);
        var child = await PrepareAsync(plan);
        var minted = Assert.IsType<MintOutcome.Minted>(await Issuer.MintAsync(plan, child, default));
        var value = Plan(Catalogue.KeyValue);
        Assert.IsType<MintOutcome.Minted>(await Issuer.MintAsync(value, null, default));

        var log = await File.ReadAllLinesAsync(Bao.AuditLogPath);

        var mint = log.Select(line => JsonElement.Parse(line))
            .Last(line =>
                line.GetProperty("type").GetString() == "response"
                && line.GetProperty("request").GetProperty("path").GetString()
                    == "auth/token/create/cb-test-deploy-token"
            );
        var metadata = mint.GetProperty("auth").GetProperty("metadata");
        Assert.Equal(plan.LeaseId, metadata.GetProperty("lease").GetString());
        Assert.Equal("t-1", metadata.GetProperty("task").GetString());
        Assert.Equal("triage", metadata.GetProperty("agent").GetString());
        Assert.Equal("c0ffee", metadata.GetProperty("hash").GetString());
        Assert.Contains(
            log,
            line =>
                line.Contains("secret/data/payments/api-key", StringComparison.Ordinal)
                && line.Contains(value.LeaseId, StringComparison.Ordinal)
        );
        Assert.DoesNotContain(
            log,
            line =>
                line.Contains(((IssuedSecret.Token)minted.Secret).Value.Reveal(), StringComparison.Ordinal)
                || line.Contains(child!.Token.Reveal(), StringComparison.Ordinal)
                || line.Contains("s3cr3t", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_broker_token_that_Vault_no_longer_knows_is_read_anew_and_its_children_live_on()
    {
        var options = _environment!.Options with { TokenFile = Path.GetTempFileName() };
        var first = await NewBrokerTokenAsync(options.TokenFile);
        using var broker = New(options);
        Assert.True((await broker.ProbeAsync(default)).CanIssue);
        var plan = Plan(Catalogue.Token);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await broker.PrepareAsync(plan, default)).Child;

        await Bao.SendAsync(HttpMethod.Post, "auth/token/revoke", new JsonObject { ["token"] = first });
        Assert.False((await broker.ProbeAsync(default)).CanIssue);
        await NewBrokerTokenAsync(options.TokenFile);

        Assert.True((await broker.ProbeAsync(default)).CanIssue);
        Assert.IsType<MintOutcome.Minted>(await broker.MintAsync(plan, child, default));
        File.Delete(options.TokenFile);
    }

    [Fact]
    public async Task A_broker_token_that_ends_before_the_secret_pauses_issuing()
    {
        var options = _environment!.Options with { TokenFile = Path.GetTempFileName() };
        var made = await Bao.SendAsync(
            HttpMethod.Post,
            "auth/token/create",
            JsonNode.Parse(
                """{"policies":["cb-test-broker"],"no_default_policy":true,"ttl":"280s","explicit_max_ttl":"280s","no_parent":true}"""
            )
        );
        await File.WriteAllTextAsync(
            options.TokenFile,
            made.GetProperty("auth").GetProperty("client_token").GetString()
        );
        using var broker = New(options);
        await broker.ProbeAsync(default);

        var refused = Assert.IsType<PrepareOutcome.Refused>(
            await broker.PrepareAsync(Plan(Catalogue.Token, TimeSpan.FromMinutes(5)), default)
        );

        Assert.Equal(RefusalCode.IssuingPaused, refused.Refusal.Code);
        Assert.IsType<PrepareOutcome.Prepared>(
            await broker.PrepareAsync(Plan(Catalogue.Token, TimeSpan.FromSeconds(30)), default)
        );
        File.Delete(options.TokenFile);
    }

    [Fact]
    public async Task The_broker_logs_in_by_AppRole()
    {
        // The other tests of this class have edited the broker's policy by hand, so that setup leaves it alone.
        var appRole = new AppRoleSetup("approle")
        {
            SecretIdTtl = TimeSpan.FromHours(24),
            BoundTo = [IPNetwork.Parse("127.0.0.1/32"), IPNetwork.Parse("10.0.0.0/8")],
        };
        IReadOnlyList<CatalogueEntry> catalogue = [Catalogue.KeyValue, Catalogue.Sign, Catalogue.Token];
        var report = await _environment!.SetUpAsync(catalogue, appRole);
        Assert.DoesNotContain(report.Findings, finding => finding.State == SetupState.Failed);
        // What was made is found to be as it should when setup looks again.
        report = await _environment!.SetUpAsync(catalogue, appRole);
        Assert.Equal(SetupState.Present, report.Findings.Single(f => f.Step.Kind == SetupKind.AppRole).State);
        // It is setup's own, so that what is asked for otherwise is changed, and back.
        foreach (var asked in new[] { new AppRoleSetup("approle"), appRole })
        {
            report = await _environment!.SetUpAsync(catalogue, asked);
            Assert.Equal(SetupState.Updated, report.Findings.Single(f => f.Step.Kind == SetupKind.AppRole).State);
        }

        var roleId = (await Bao.SendAsync(HttpMethod.Get, "auth/approle/role/cb-test-broker/role-id"))
            .GetProperty("data")
            .GetProperty("role_id")
            .GetString()!;
        var secretId = await Bao.SendAsync(
            HttpMethod.Post,
            "auth/approle/role/cb-test-broker/secret-id",
            new JsonObject()
        );
        Assert.Equal(24 * 3600, secretId.GetProperty("data").GetProperty("secret_id_ttl").GetInt64());
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, secretId.GetProperty("data").GetProperty("secret_id").GetString());
        using var broker = New(
            _environment!.Options with
            {
                TokenFile = "",
                AppRole = new() { RoleId = roleId, SecretIdFile = file },
            }
        );

        var status = await broker.ProbeAsync(default);

        Assert.True(status.CanIssue, status.Refusal?.Detail);
        Assert.Equal(["cb-test-broker"], broker.Session.Current!.Facts.Policies);
        File.Delete(file);
    }

    [Fact]
    public async Task A_sealed_Vault_is_told_from_one_that_is_away()
    {
        await using var bao = await TestBao.StartSealableAsync();
        await bao.SendAsync(
            HttpMethod.Post,
            "sys/mounts/secret",
            JsonNode.Parse("""{"type":"kv","options":{"version":"2"}}""")
        );
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, bao.RootToken);
        using var broker = New(
            new()
            {
                Address = bao.Address.ToString(),
                Installation = "test",
                TokenFile = file,
            }
        );
        var prepared = await broker.PrepareAsync(Plan(Catalogue.Token), default);
        Assert.Equal(RefusalCode.VaultMissing, Assert.IsType<PrepareOutcome.Refused>(prepared).Refusal.Code);

        await bao.SealAsync();
        Assert.Equal(RefusalCode.VaultSealed, (await broker.ProbeAsync(default)).Refusal?.Code);
        Assert.Equal(
            RefusalCode.VaultSealed,
            Assert
                .IsType<PrepareOutcome.Refused>(await broker.PrepareAsync(Plan(Catalogue.Token), default))
                .Refusal.Code
        );
        Assert.Equal(
            RefusalCode.VaultSealed,
            Assert
                .IsType<MintOutcome.Refused>(await broker.MintAsync(Plan(Catalogue.KeyValue), null, default))
                .Refusal.Code
        );
        Assert.Contains(
            "sealed",
            Assert.IsType<RevokeOutcome.Failed>(await broker.RevokeStrayAsync("a/b", default)).Error
        );

        await bao.KillAsync();
        Assert.Equal(
            RefusalCode.VaultUnreachable,
            Assert
                .IsType<PrepareOutcome.Refused>(await broker.PrepareAsync(Plan(Catalogue.Token), default))
                .Refusal.Code
        );
        File.Delete(file);
    }

    private static VaultSecretIssuer New(VaultOptions options) =>
        new(options, TimeProvider.System, NullLogger<VaultSecretIssuer>.Instance);

    private async Task<ChildToken?> PrepareAsync(IssuancePlan plan) =>
        Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;

    private async Task<long> RenewAsync(string accessor, string increment) =>
        (
            await Bao.SendAsync(
                HttpMethod.Post,
                "auth/token/renew-accessor",
                new JsonObject { ["accessor"] = accessor, ["increment"] = increment }
            )
        )
            .GetProperty("auth")
            .GetProperty("lease_duration")
            .GetInt64();

    private async Task<string> NewBrokerTokenAsync(string file)
    {
        var made = await Bao.SendAsync(HttpMethod.Post, "auth/token/create/cb-test-broker", new JsonObject());
        var token = made.GetProperty("auth").GetProperty("client_token").GetString()!;
        await File.WriteAllTextAsync(file, token);
        return token;
    }

    /// <summary>
    /// By hand what setup does: a policy and a token role for a credential, and the broker's right to use it.
    /// </summary>
    private async Task AllowAsync(string credential, string path, string capability)
    {
        await Bao.SendAsync(
            HttpMethod.Post,
            $"sys/policies/acl/cb-test-{credential}",
            new JsonObject { ["policy"] = $$"""path "{{path}}" { capabilities = ["{{capability}}"] }""" }
        );
        await Bao.SendAsync(
            HttpMethod.Post,
            $"auth/token/roles/cb-test-{credential}",
            JsonNode.Parse(
                $$"""
                {"orphan":true,"renewable":true,"token_no_default_policy":true,
                 "allowed_policies":["cb-test-{{credential}}"],"token_type":"service","token_explicit_max_ttl":630}
                """
            )
        );
        var policy = (await Bao.SendAsync(HttpMethod.Get, "sys/policies/acl/cb-test-broker"))
            .GetProperty("data")
            .GetProperty("policy")
            .GetString();
        await Bao.SendAsync(
            HttpMethod.Post,
            "sys/policies/acl/cb-test-broker",
            new JsonObject
            {
                ["policy"] =
                    $"{policy}path \"auth/token/create/cb-test-{credential}\" {{ capabilities = [\"update\"] }}\n",
            }
        );
    }
}
