using System.Text.Json.Nodes;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using Microsoft.Extensions.Logging.Abstractions;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>A value whose path a request fills in, with what <c>vault setup</c> alone permits on a real OpenBao.</summary>
public sealed class ParameterTests(PreparedBao bao) : IClassFixture<PreparedBao>
{
    private static readonly CatalogueEntry Template = Catalogue.Entry(
        "tenant-key",
        new VaultBinding.KeyValue("secret", "tenants/{tenant}/api-key")
    ) with
    {
        Params = [new("tenant", "[a-z0-9-]{1,40}")],
    };

    [Fact]
    public async Task Each_value_is_read_where_it_leads_and_nothing_beside_the_template()
    {
        var environment = await bao.GetAsync(Template);
        foreach (var path in (string[])["acme/api-key", "ajax/api-key", "acme/other", "acme/deep/api-key"])
        {
            await environment.Bao.SendAsync(
                HttpMethod.Post,
                $"secret/data/tenants/{path}",
                new JsonObject { ["data"] = new JsonObject { ["of"] = path } }
            );
        }

        using var issuer = new VaultSecretIssuer(
            environment.Options,
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );
        foreach (var tenant in (string[])["acme", "ajax"])
        {
            var plan = Plan(At($"tenants/{tenant}/api-key"));
            Assert.IsType<PrepareOutcome.Prepared>(await issuer.PrepareAsync(plan, default));
            var minted = Assert.IsType<MintOutcome.Minted>(await issuer.MintAsync(plan, null, default));
            Assert.Equal($"secret/tenants/{tenant}/api-key version 1", minted.Handles.PublicName);
            Assert.Contains(
                $"{tenant}/api-key",
                Assert.IsType<IssuedSecret.Values>(minted.Secret).Json.Reveal(),
                StringComparison.Ordinal
            );
        }

        foreach (var path in (string[])["tenants/acme/other", "tenants/acme/deep/api-key", "tenants/api-key"])
        {
            var refused = Assert.IsType<MintOutcome.Refused>(await issuer.MintAsync(Plan(At(path)), null, default));
            Assert.Equal(RefusalCode.VaultForbids, refused.Refusal.Code);
        }

        Assert.IsType<PrepareOutcome.Refused>(await issuer.PrepareAsync(Plan(Template), default));
        using var check = new VaultCheck(
            environment.Options,
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );
        var findings = await check.RunAsync([Template], default);
        Assert.Empty(findings.Where(finding => !finding.Passed).Select(finding => $"{finding.What}: {finding.Detail}"));
        Assert.Contains(findings, finding => finding.What == "tenant-key: read secret/data/tenants/+/api-key");
        Assert.True((await environment.SetUpAsync([Template])).IsUnchanged);
    }

    private static CatalogueEntry At(string path) =>
        Template with
        {
            Vault = new VaultBinding.KeyValue("secret", path),
            Params = null,
        };
}
