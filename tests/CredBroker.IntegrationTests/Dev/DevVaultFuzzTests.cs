using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Dev;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>Whatever is sent, DevVault answers in Vault's form: a fault of its own would be a bare 500.</summary>
public sealed class DevVaultFuzzTests : IAsyncLifetime
{
    private static readonly string[] Methods = ["GET", "LIST", "POST", "PUT", "DELETE", "PATCH"];

    private static readonly string[] Paths =
    [
        "sys/health",
        "sys/unseal",
        "sys/mounts",
        "sys/mounts/pki/tune",
        "sys/mounts/x",
        "sys/auth/approle",
        "sys/policies/acl/p",
        "sys/capabilities-self",
        "sys/leases/lookup",
        "sys/leases/lookup/pki/",
        "sys/leases/revoke",
        "sys/leases/renew",
        "sys/leases/revoke-prefix/pki",
        "sys/wrapping/wrap",
        "sys/wrapping/unwrap",
        "sys/wrapping/lookup",
        "sys/internal/ui/mounts",
        "sys/internal/ui/mounts/secret/a",
        "sys/config/auditing/request-headers/x",
        "auth/token/create",
        "auth/token/create/r",
        "auth/token/roles/r",
        "auth/token/lookup",
        "auth/token/renew",
        "auth/token/renew-accessor",
        "auth/token/lookup-accessor",
        "auth/approle/login",
        "auth/approle/role/a",
        "auth/approle/role/a/secret-id",
        "auth/approle/role/a/custom-secret-id",
        "secret/data/a",
        "secret/metadata/a",
        "secret/delete/a",
        "secret/destroy/a",
        "secret/config",
        "pki/root/generate/internal",
        "pki/roles/r",
        "pki/sign/r",
        "pki/issue/r",
        "pki/revoke",
        "pki/config/urls",
        "pki/cert/ca",
        "pki/cert/crl",
        "pki/crl",
        "pki/issuer/default",
        "",
        "/",
        "a//b",
        "pki/",
        "auth/",
        "auth/token/",
        "secret",
    ];

    private static readonly string[] Members =
    [
        "policy",
        "policies",
        "ttl",
        "explicit_max_ttl",
        "increment",
        "period",
        "meta",
        "id",
        "token",
        "accessor",
        "lease_id",
        "sync",
        "display_name",
        "num_uses",
        "type",
        "options",
        "config",
        "data",
        "versions",
        "custom_metadata",
        "max_versions",
        "csr",
        "common_name",
        "alt_names",
        "uri_sans",
        "ip_sans",
        "key_type",
        "key_bits",
        "issuer_name",
        "serial_number",
        "role_id",
        "secret_id",
        "cidr_list",
        "token_bound_cidrs",
        "secret_id_bound_cidrs",
        "metadata",
        "allowed_policies",
        "token_policies",
        "orphan",
        "allowed_uri_sans",
        "allow_any_name",
        "require_cn",
        "generate_lease",
        "max_ttl",
        "paths",
        "hmac",
        "renewable",
        "no_parent",
        "crl_distribution_points",
        "private_key_format",
    ];

    private static readonly string[] Values =
    [
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1.5",
        "1e400",
        "99999999999999999999",
        "\"\"",
        "\"x\"",
        "\"1h\"",
        "\"-5s\"",
        "\"root\"",
        "\"pki\"",
        "\"kv-v2\"",
        "\"approle\"",
        "\"ec\"",
        "\"any\"",
        "[]",
        "[null]",
        "[1,\"a\"]",
        "[[[[]]]]",
        "{}",
        "{\"a\":null}",
        "{\"version\":2}",
        "{\"cas\":-1}",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"path \\\"a\\\" { capabilities = [\\\"read\\\"] }\"",
        "\"-----BEGIN CERTIFICATE REQUEST-----\\nAAAA\\n-----END CERTIFICATE REQUEST-----\"",
        "\"spiffe://a/b\"",
        "\"not a uri\"",
        "\"é.example\"",
        "\"a@b\"",
        "\"*\"",
        "\"::1,1.2.3.4\"",
        "\"10.0.0.0/8,::1/128\"",
        "\"1.2.3.4/33,/,1/\"",
    ];

    private DevVaultClient _vault = null!;

    public async ValueTask InitializeAsync()
    {
        _vault = new DevVaultClient(
            await DevVault.StartAsync(
                new DevVaultOptions { UnsealKey = "known" },
                TestContext.Current.CancellationToken
            )
        );
        await _vault.GetAsync("POST", "sys/mounts/pki", """{"type":"pki"}""");
        await _vault.GetAsync("POST", "pki/root/generate/internal", """{"common_name":"x","key_type":"ec"}""");
        await _vault.GetAsync(
            "POST",
            "pki/roles/r",
            """{"key_type":"ec","allow_any_name":true,"allowed_uri_sans":"*","generate_lease":true}"""
        );
        await _vault.GetAsync("POST", "sys/auth/approle", """{"type":"approle"}""");
        await _vault.GetAsync("POST", "auth/approle/role/a", """{"token_policies":["default"]}""");
        await _vault.GetAsync("POST", "auth/token/roles/r", """{"allowed_policies":["default"]}""");
    }

    public ValueTask DisposeAsync() => _vault.DisposeAsync();

    [Fact]
    public void Every_call_is_answered_in_Vaults_form()
    {
        var call =
            from method in Gen.Elements(Methods)
            from path in Gen.Elements(Paths)
            from members in Gen.ListOf(
                from name in Gen.Elements(Members)
                from value in Gen.Elements(Values)
                select (name, value)
            )
            from whole in Gen.Elements("", "", "", "", "null", "[]", "\"x\"", "{", " ")
            select (
                method,
                path,
                body: whole.Length > 0
                    ? whole
                    : "{"
                        + string.Join(
                            ',',
                            members
                                .DistinctBy(member => member.name)
                                .Select(member => $"\"{member.name}\":{member.value}")
                        )
                        + "}"
            );

        Prop.ForAll(call.ToArbitrary(), one => AnswersAsync(one.method, one.path, one.body).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    private async Task<bool> AnswersAsync(string method, string path, string body)
    {
        _vault.Vault.Sealed = false;
        using var request = new HttpRequestMessage(new HttpMethod(method), "/v1/" + path)
        {
            Content = method is "GET" or "LIST"
                ? null
                : new StringContent(
                    body,
                    Encoding.UTF8,
                    method == "PATCH" ? "application/merge-patch+json" : "application/json"
                ),
        };
        request.Headers.Add("X-Vault-Token", _vault.Vault.RootToken);
        using var response = await _vault.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (method == "PATCH" && response.StatusCode == HttpStatusCode.NotFound && text.Length == 0)
        {
            // What is not there to be patched is answered with nothing at all.
            return true;
        }

        return (int)response.StatusCode == 204 || response.Content.Headers.ContentType?.MediaType != "application/json"
            ? (int)response.StatusCode < 300
            : JsonNode.Parse(text) is JsonObject;
    }
}
