using System.Net;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>A credential with a parameter, as agents and people meet it over HTTP.</summary>
public sealed class ParameterApiTests : IAsyncLifetime
{
    private static readonly string Policy = TestPolicy.Text.Replace(
        "rules:\n",
        """
          tenant-key:
            vault: { engine: kv, mount: secret, path: "tenants/{tenant}/api-key" }
            params: { tenant: { pattern: "[a-z0-9-]{1,40}" } }
            access: read
            impact: low
            reversible: true
            actions: [read]
            maxTtl: 5m
        rules:
          - id: acme-alone
            effect: allow
            when: agent == "triage" && credential.name == "tenant-key" && request.params.tenant == "acme"
          - id: ajax-is-asked-for
            effect: challenge
            when: agent == "triage" && credential.name == "tenant-key" && request.params.tenant == "ajax"
            approval: { approvers: [owner], expiresAfter: 30m }
          - id: no-others
            effect: deny
            when: credential.name == "tenant-key" && !(request.params.tenant in ["acme", "ajax"])

        """,
        StringComparison.Ordinal
    );

    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await TestBroker.StartAsync(policy: Policy);

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task The_catalogue_says_which_parameters_there_are_and_policy_decides_on_their_values()
    {
        using (var catalogue = await _broker.SendAsync(HttpMethod.Get, "/v1/catalogue", _broker.Agent()))
        {
            var offer = Assert.Single(
                (await catalogue.ReadAsync(HttpStatusCode.OK)).GetProperty("entries").EnumerateArray(),
                entry => entry.GetProperty("credential").GetString() == "tenant-key"
            );
            Assert.Equal("depends", offer.GetProperty("decision").GetString());
            Assert.Equal("[a-z0-9-]{1,40}", offer.GetProperty("params").GetProperty("tenant").GetString());
            Assert.Equal("request.params", offer.GetProperty("dependsOn")[0].GetString());
        }

        using (var issued = await AskAsync("""{"tenant":"acme"}"""))
        {
            var lease = (await issued.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString();
            using var shown = await _broker.SendAsync(HttpMethod.Get, $"/v1/credentials/{lease}", _broker.Agent());
            Assert.Equal(
                "acme",
                (await shown.ReadAsync(HttpStatusCode.OK)).GetProperty("params").GetProperty("tenant").GetString()
            );
        }

        await RefusedAsync("CB2002", """{"tenant":"other"}""");
    }

    [Theory]
    [InlineData("CB2021", "{}")]
    [InlineData("CB2021", "null")]
    [InlineData("CB2021", """{"tenant":"ACME"}""")]
    [InlineData("CB2021", """{"tenant":"acme","region":"eu"}""")]
    [InlineData("CB6003", """{"tenant":".."}""")]
    [InlineData("CB6003", """{"tenant":"acme/../other"}""")]
    [InlineData("CB6003", """{"tenant":"acme%2fother"}""")]
    [InlineData("CB6003", """{"tenant":""}""")]
    [InlineData("CB6003", """{"tenant":null}""")]
    [InlineData("CB6003", """{"ten-ant":"acme"}""")]
    [InlineData("CB6003", """{"a":"1","b":"1","c":"1","d":"1","e":"1","f":"1","g":"1","h":"1","tenant":"acme"}""")]
    public async Task Other_parameters_are_refused(string code, string parameters) =>
        await RefusedAsync(code, parameters);

    [Theory]
    [InlineData("""{"tenant":"acme","tenant":"ajax"}""")]
    [InlineData("""{"tenant":"acme\u0000"}""")]
    [InlineData("""{"tenant":["acme"]}""")]
    [InlineData("\"acme\"")]
    public async Task What_is_no_parameter_at_all_is_refused_at_the_edge(string parameters)
    {
        using var response = await AskAsync(parameters);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task An_approver_sees_the_value_and_agrees_to_that_one_alone()
    {
        using var asked = await AskAsync("""{"tenant":"ajax"}""");
        var question = await asked.ReadAsync(HttpStatusCode.Accepted);
        var (id, digest) = (question.GetProperty("approvalId").GetString(), question.GetProperty("digest").GetString());
        var owner = _broker.People.Token("owner-1", claims => claims["roles"] = (string[])["approver"]);
        using (var shown = await _broker.SendAsync(HttpMethod.Get, $"/v1/approvals/{id}", owner))
        {
            var approval = await shown.ReadAsync(HttpStatusCode.OK);
            Assert.Equal("ajax", approval.GetProperty("params").GetProperty("tenant").GetString());
        }

        using (
            var agreed = await _broker.SendAsync(
                HttpMethod.Post,
                $"/v1/approvals/{id}/approve",
                owner,
                Api.Json($$"""{"digest":"{{digest}}"}""")
            )
        )
        {
            await agreed.ReadAsync(HttpStatusCode.OK);
        }

        // Another value is another request, which policy decides by itself.
        using (var swapped = await AskAsync("""{"tenant":"acme"}""", $",\"approvalId\":\"{id}\""))
        {
            await swapped.ReadProblemAsync("CB3006");
        }

        using var redeemed = await AskAsync("""{"tenant":"ajax"}""", $",\"approvalId\":\"{id}\"");
        await redeemed.ReadAsync(HttpStatusCode.Created);
    }

    private Task<HttpResponseMessage> AskAsync(string parameters, string more = "") =>
        _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange("tenant-key", more: $",\"params\":{parameters}{more}")
        );

    private async Task RefusedAsync(string code, string parameters)
    {
        using var response = await AskAsync(parameters);
        await response.ReadProblemAsync(code);
    }
}
