using CredBroker.Core.Exchange;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Exchange;

/// <summary>Parameters of a credential, from the request to the secret's end, on a real store.</summary>
public sealed class ParameterExchangeTests
{
    [Fact]
    public async Task A_parameter_is_stored_with_the_inputs_and_a_policy_that_no_longer_allows_it_ends_the_lease()
    {
        await using var broker = await StartAsync("request.params.tenant in [\"acme\", \"ajax\"]");
        var acme = await broker.IssueAsync(Command("acme"));
        var ajax = await broker.IssueAsync(Command("ajax"));

        Assert.Equal("acme", (await broker.LeaseAsync(acme.Id)).Decision.Request.Params?["tenant"]);
        Assert.Equal(
            new VaultBinding.KeyValue("secret", "tenants/acme/key"),
            Assert.IsType<VaultBinding.KeyValue>((await broker.LeaseAsync(acme.Id)).Grant.Entry.Vault)
        );
        Assert.Contains(
            "secret/tenants/acme/key",
            Core.Leases.StillValid.Of(await broker.LeaseAsync(acme.Id))?.What,
            StringComparison.Ordinal
        );

        await broker.ApplyAsync(Policy("request.params.tenant == \"acme\""));
        await broker.Reevaluation.RunAsync(default);
        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(acme.Id)).State);
        Assert.Equal(LeaseState.Ended, (await broker.LeaseAsync(ajax.Id)).State);

        // Somewhere else is something else.
        await broker.ApplyAsync(
            Policy("request.params.tenant == \"acme\"").Replace("tenants/", "clients/", StringComparison.Ordinal)
        );
        await broker.Reevaluation.RunAsync(default);
        Assert.Equal(LeaseState.Ended, (await broker.LeaseAsync(acme.Id)).State);
    }

    [Fact]
    public async Task A_key_against_double_issuance_is_of_one_value()
    {
        await using var broker = await StartAsync("request.params.tenant in [\"acme\", \"ajax\"]");
        await broker.IssueAsync(Command("acme") with { IdempotencyKey = "k" });

        Assert.Equal(
            RefusalCode.IdempotencyKeyReused,
            (await broker.RefusedAsync(Command("ajax") with { IdempotencyKey = "k" })).Code
        );
    }

    [Fact]
    public async Task Who_tries_values_trips_the_wire()
    {
        await using var broker = await StartAsync(
            "request.params.tenant == \"acme\"",
            "limits: [{ id: l, per: instance, maxDenied: { count: 2, per: 5m } }]\n"
        );
        await broker.RefusedAsync(Command("ajax"));
        Assert.Equal(RefusalCode.ParamsInvalid, (await broker.RefusedAsync(Command(".."))).Code);
        Assert.Equal(RefusalCode.ParamsInvalid, (await broker.RefusedAsync(Command(null))).Code);

        Assert.Equal(RefusalCode.LimitReached, (await broker.RefusedAsync(Command("acme"))).Code);
    }

    private static ExchangeCommand Command(string? tenant)
    {
        var command = BrokerHarness.Command(credential: "tenant-key");
        return tenant is null
            ? command
            : command with
            {
                Request = command.Request with { Params = new Dictionary<string, string> { ["tenant"] = tenant } },
            };
    }

    private static string Policy(string condition, string more = "") =>
        HarnessPolicy
            .Text($"agent == \"triage\" && {condition}")
            .Replace(
                "rules:\n",
                """
                  tenant-key:
                    vault: { engine: kv, mount: secret, path: "tenants/{tenant}/key" }
                    params: { tenant: { pattern: "[a-z]+" } }
                    access: read
                    impact: low
                    reversible: true
                    actions: [read]
                    maxTtl: 5m
                rules:

                """,
                StringComparison.Ordinal
            )
        + "\n"
        + more;

    private static async Task<BrokerHarness> StartAsync(string condition, string more = "")
    {
        var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(Policy(condition, more));
        return broker;
    }
}
