using System.Text.Json.Nodes;
using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using Microsoft.Extensions.Logging.Abstractions;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// What a policy of Vault's can ask for beside the right to read, of a value that the broker reads itself.
/// </summary>
public sealed class PolicyConditionTests(PreparedBao bao) : IClassFixture<PreparedBao>
{
    private const string Policy = "sys/policies/acl/cb-test-broker";

    [Theory]
    [InlineData("min_wrapping_ttl = \"1m\"", "min_wrapping_ttl", RefusalCode.VaultWantsWrapping)]
    [InlineData(
        """
            control_group = {
              factor "approval" {
                controlled_capabilities = ["read"]
                identity { group_names = ["approvers"] approvals = 1 }
              }
            }
            """,
        "control_group",
        RefusalCode.VaultWantsApproval
    )]
    public async Task A_condition_on_a_value_has_its_own_code_and_the_check_names_it(
        string condition,
        string named,
        RefusalCode code
    )
    {
        var environment = await bao.GetAsync(Catalogue.KeyValue);
        using var issuer = new VaultSecretIssuer(
            environment.Options,
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );
        Assert.IsType<MintOutcome.Minted>(await issuer.MintAsync(Plan(Catalogue.KeyValue), null, default));
        var text = (await environment.Bao.SendAsync(HttpMethod.Get, Policy))
            .GetProperty("data")
            .GetProperty("policy")
            .GetString()!;
        const string Path = "path \"secret/data/payments/api-key\" {";
        Assert.Contains(Path, text, StringComparison.Ordinal);
        await environment.Bao.SendAsync(
            HttpMethod.Post,
            Policy,
            new JsonObject { ["policy"] = text.Replace(Path, $"{Path}\n{condition}", StringComparison.Ordinal) }
        );
        try
        {
            var refused = Assert.IsType<MintOutcome.Refused>(
                await issuer.MintAsync(Plan(Catalogue.KeyValue), null, default)
            );

            Assert.Equal(code, refused.Refusal.Code);
            using var check = new VaultCheck(
                environment.Options,
                TimeProvider.System,
                NullLogger<VaultSecretIssuer>.Instance
            );
            var findings = (await check.RunAsync([Catalogue.KeyValue], default)).Where(finding => !finding.Passed);
            Assert.Contains(
                findings,
                finding =>
                    finding.What.StartsWith(Policy, StringComparison.Ordinal)
                    && finding.Detail.Contains(named, StringComparison.Ordinal)
            );
        }
        finally
        {
            await environment.Bao.SendAsync(HttpMethod.Post, Policy, new JsonObject { ["policy"] = text });
        }
    }
}
