using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>An AppRole's secret id in DevVault: by its clock, its count and its networks.</summary>
public sealed class DevVaultSecretIdTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private DevVaultClient _vault = null!;
    private string _role = "";

    public async ValueTask InitializeAsync()
    {
        _vault = await DevVaultClient.StartAsync(_time);
        await _vault.GetAsync("POST", "sys/auth/approle", """{"type":"approle"}""");
        await _vault.GetAsync("POST", "auth/approle/role/r", """{"secret_id_ttl":"1h"}""");
        _role = (await _vault.GetAsync("GET", "auth/approle/role/r/role-id"))["data"]!["role_id"]!.ToString();
    }

    public ValueTask DisposeAsync() => _vault.DisposeAsync();

    [Theory]
    [InlineData("""{"ttl":"60s"}""", 60)]
    [InlineData("{}", 3600)]
    public async Task It_ends_at_its_own_ttl_or_else_at_the_roles(string asked, int seconds)
    {
        var secret = await SecretIdAsync(asked);

        _time.Advance(TimeSpan.FromSeconds(seconds - 1));
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(secret)).Status);

        _time.Advance(TimeSpan.FromSeconds(1));
        var (status, json) = await LoginAsync(secret);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid role or secret ID"), (status, Fault(json)));
    }

    [Fact]
    public async Task It_logs_in_as_often_as_it_may()
    {
        var secret = await SecretIdAsync("""{"num_uses":2}""");

        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(secret)).Status);
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(secret)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await LoginAsync(secret)).Status);
    }

    [Fact]
    public async Task From_elsewhere_it_does_not_log_in_and_keeps_its_use()
    {
        await _vault.GetAsync("POST", "auth/approle/role/r", """{"secret_id_bound_cidrs":"10.0.0.0/8"}""");
        var secret = await SecretIdAsync("""{"num_uses":1}""");

        var (status, json) = await LoginAsync(secret);
        await _vault.GetAsync("POST", "auth/approle/role/r", """{"secret_id_bound_cidrs":"127.0.0.0/8"}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("unauthorized by CIDR restrictions", Fault(json), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(secret)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await LoginAsync(secret)).Status);
    }

    [Fact]
    public async Task A_role_that_was_narrowed_to_less_than_its_networks_refuses_it()
    {
        var secret = await SecretIdAsync("""{"cidr_list":"127.0.0.0/8"}""");
        await _vault.GetAsync("POST", "auth/approle/role/r", """{"secret_id_bound_cidrs":"127.0.0.1/32"}""");

        var (status, json) = await LoginAsync(secret);

        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Contains("failed to verify subset relationship", json!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Those_that_ended_make_room_for_others()
    {
        for (var i = 0; i < 1_000; i++)
        {
            await SecretIdAsync("{}");
        }

        const string Path = "auth/approle/role/r/secret-id";
        Assert.Equal(HttpStatusCode.InternalServerError, (await _vault.CallAsync("POST", Path, "{}")).Status);

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(HttpStatusCode.OK, (await LoginAsync(await SecretIdAsync("{}"))).Status);
    }

    [Theory]
    [InlineData("127.0.0.0/8", HttpStatusCode.OK)]
    [InlineData("10.0.0.0/8", HttpStatusCode.Forbidden)]
    public async Task A_token_that_is_bound_to_networks_is_refused_from_elsewhere(
        string network,
        HttpStatusCode expected
    )
    {
        await _vault.GetAsync("POST", "auth/approle/role/r", $$"""{"token_bound_cidrs":"{{network}}"}""");

        var (_, json) = await LoginAsync(await SecretIdAsync("{}"));

        var token = json!["auth"]!["client_token"]!.ToString();
        Assert.Equal(expected, (await _vault.CallAsync("GET", "auth/token/lookup-self", token: token)).Status);
    }

    [Fact]
    public async Task A_child_of_its_token_is_bound_to_the_same_networks()
    {
        var child = await ChildAsync("""{"token_bound_cidrs":"127.0.0.0/8"}""");

        var token = child.Json!["auth"]!["client_token"]!.ToString();
        var seen = await _vault.GetAsync("POST", "auth/token/lookup", $$"""{"token":"{{token}}"}""");
        Assert.Equal("""["127.0.0.0/8"]""", seen["data"]!["bound_cidrs"]?.ToJsonString());
    }

    [Theory]
    [InlineData(1, "parent token lookup failed: no parent found")]
    [InlineData(2, "restricted use token cannot generate child tokens")]
    public async Task A_token_whose_uses_are_counted_makes_no_child(int uses, string fault)
    {
        var child = await ChildAsync($$"""{"token_num_uses":{{uses}}}""");

        Assert.Equal((HttpStatusCode.BadRequest, fault), (child.Status, Fault(child.Json)));
    }

    [Fact]
    public async Task Metadata_which_it_would_not_keep_is_refused()
    {
        var (status, json) = await _vault.CallAsync(
            "POST",
            "auth/approle/role/r/secret-id",
            """{"metadata":"{\"a\":\"b\"}"}"""
        );

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("this development Vault keeps no metadata of a secret id", Fault(json));
    }

    [Theory]
    [InlineData("auth/approle/role/r", """{"token_type":"batch"}""", "service tokens only")]
    [InlineData("auth/approle/role/r", """{"token_strictly_bind_ip":true}""", "\"token_strictly_bind_ip\"")]
    [InlineData("auth/token/roles/r", """{"token_strictly_bind_ip":true}""", "\"token_strictly_bind_ip\"")]
    [InlineData("auth/token/roles/r", """{"token_bound_cidrs":"127.0.0.1/32"}""", "\"token_bound_cidrs\"")]
    [InlineData("auth/token/roles/r", """{"token_num_uses":1}""", "\"token_num_uses\"")]
    [InlineData("secret/metadata/app", """{"max_versions":11}""", "at most 10 versions")]
    public async Task A_setting_that_it_would_not_keep_is_refused(string path, string body, string named)
    {
        var (status, json) = await _vault.CallAsync("POST", path, body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(named, Fault(json), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("auth/approle/role/r", """{"token_type":"service","token_strictly_bind_ip":false}""")]
    [InlineData("auth/token/roles/r", """{"token_bound_cidrs":[],"token_num_uses":0,"token_strictly_bind_ip":false}""")]
    [InlineData("secret/metadata/app", """{"max_versions":10}""")]
    public async Task A_setting_that_binds_nobody_is_taken(string path, string body) =>
        Assert.Equal(HttpStatusCode.NoContent, (await _vault.CallAsync("POST", path, body)).Status);

    /// <summary>Has the role as this says, and a token of its ask for a child.</summary>
    private async Task<(HttpStatusCode Status, JsonNode? Json)> ChildAsync(string role)
    {
        await _vault.GetAsync(
            "PUT",
            "sys/policies/acl/parent",
            """{"policy":"path \"auth/token/create\" { capabilities=[\"update\"] }"}"""
        );
        await _vault.GetAsync("POST", "auth/approle/role/r", """{"token_policies":["parent"]}""");
        await _vault.GetAsync("POST", "auth/approle/role/r", role);
        var (_, login) = await LoginAsync(await SecretIdAsync("{}"));
        return await _vault.CallAsync("POST", "auth/token/create", "{}", login!["auth"]!["client_token"]!.ToString());
    }

    private static string Fault(JsonNode? json) => json!["errors"]![0]!.ToString();

    private async Task<string> SecretIdAsync(string asked) =>
        (await _vault.GetAsync("POST", "auth/approle/role/r/secret-id", asked))["data"]!["secret_id"]!.ToString();

    private Task<(HttpStatusCode Status, JsonNode? Json)> LoginAsync(string secret) =>
        _vault.CallAsync(
            "POST",
            "auth/approle/login",
            $$"""{"role_id":"{{_role}}","secret_id":"{{secret}}"}""",
            token: ""
        );
}
