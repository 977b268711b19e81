using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>
/// What DevVault does by its own clock and its own hands: endings, certificates, the seal, its bounds.
/// </summary>
public sealed class DevVaultTests
{
    private const string SafeRole = """
        {"generate_lease":true,"use_csr_common_name":false,"use_csr_sans":false,
         "allowed_uri_sans":"spiffe://dev/*","require_cn":false,"max_ttl":"10m","key_type":"any"}
        """;

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task A_token_ends_at_its_ttl_and_takes_its_children_and_certificates_along()
    {
        await using var vault = await DevVaultClient.StartAsync(_time);
        await PreparePkiAsync(vault);
        var (token, accessor) = await vault.TokenAsync(
            """path "*" { capabilities = ["create", "update", "read"] }""",
            "60s"
        );
        var child = (await vault.GetAsync("POST", "auth/token/create", """{"ttl":"10m"}""", token))["auth"]![
            "client_token"
        ]!.ToString();
        var signed = await vault.GetAsync("POST", "pki/sign/r", Sign(NewCsr("CN=x")), token);

        _time.Advance(TimeSpan.FromSeconds(59));
        await vault.GetAsync("PUT", "sys/leases/lookup", $$"""{"lease_id":"{{signed["lease_id"]}}"}""");
        await vault.GetAsync("GET", "auth/token/lookup-self", token: child);

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await vault.CallAsync("POST", "auth/token/lookup-accessor", $$"""{"accessor":"{{accessor}}"}""")).Status
        );
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await vault.CallAsync("GET", "auth/token/lookup-self", token: child)).Status
        );
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await vault.CallAsync("PUT", "sys/leases/lookup", $$"""{"lease_id":"{{signed["lease_id"]}}"}""")).Status
        );
        var shown = await vault.GetAsync("GET", $"pki/cert/{signed["data"]!["serial_number"]}");
        Assert.Equal(_time.GetUtcNow().ToUnixTimeSeconds(), shown["data"]!["revocation_time"]!.GetValue<long>());
    }

    [Fact]
    public async Task An_orphan_child_outlives_the_token_that_made_it()
    {
        await using var vault = await DevVaultClient.StartAsync(_time);
        await vault.GetAsync(
            "POST",
            "auth/token/roles/r",
            """{"allowed_policies":["test"],"orphan":true,"token_no_default_policy":true}"""
        );
        var (token, _) = await vault.TokenAsync("""path "auth/token/*" { capabilities = ["update", "read"] }""", "60s");
        var child = (await vault.GetAsync("POST", "auth/token/create/r", """{"ttl":"10m"}""", token))["auth"]![
            "client_token"
        ]!.ToString();

        await vault.GetAsync("POST", "auth/token/revoke-self", token: token);

        await vault.GetAsync("GET", "auth/token/lookup-self", token: child);
    }

    [Fact]
    public async Task A_renewal_is_capped_by_the_roles_explicit_maximum_and_by_no_other()
    {
        await using var vault = await DevVaultClient.StartAsync(_time);
        await vault.GetAsync(
            "POST",
            "auth/token/roles/capped",
            """{"allowed_policies":["test"],"orphan":true,"token_explicit_max_ttl":"120s"}"""
        );
        await vault.GetAsync("POST", "auth/token/roles/open", """{"allowed_policies":["test"],"orphan":true}""");
        var capped = (await vault.GetAsync("POST", "auth/token/create/capped", """{"ttl":"60s"}"""))["auth"]![
            "accessor"
        ];
        var open = (
            await vault.GetAsync("POST", "auth/token/create/open", """{"ttl":"60s","explicit_max_ttl":"60s"}""")
        )["auth"]!["accessor"];

        _time.Advance(TimeSpan.FromSeconds(30));
        var renewed = await vault.GetAsync(
            "POST",
            "auth/token/renew-accessor",
            $$"""{"accessor":"{{capped}}","increment":"600s"}"""
        );
        Assert.Equal(90, renewed["auth"]!["lease_duration"]!.GetValue<int>());

        // The trap that the broker must not fall into: what the request asked for at creation is forgotten at renewal.
        renewed = await vault.GetAsync(
            "POST",
            "auth/token/renew-accessor",
            $$"""{"accessor":"{{open}}","increment":"600s"}"""
        );
        Assert.Equal(600, renewed["auth"]!["lease_duration"]!.GetValue<int>());

        _time.Advance(TimeSpan.FromSeconds(90));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await vault.CallAsync("POST", "auth/token/lookup-accessor", $$"""{"accessor":"{{capped}}"}""")).Status
        );
    }

    [Fact]
    public async Task A_signed_certificate_is_real_and_names_what_the_caller_of_the_api_asked_for()
    {
        await using var vault = await DevVaultClient.StartAsync();
        var root = await PreparePkiAsync(vault);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        var data = (await vault.GetAsync("POST", "pki/sign/r", Sign(NewCsr("CN=evil", key))))["data"]!;

        using var issuer = X509Certificate2.CreateFromPem(root);
        using var certificate = X509Certificate2.CreateFromPem(data["certificate"]!.ToString());
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            },
        };
        chain.ChainPolicy.CustomTrustStore.Add(issuer);
        Assert.True(
            chain.Build(certificate),
            string.Join(", ", chain.ChainStatus.Select(status => status.StatusInformation))
        );
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal("", certificate.Subject);
        Assert.Contains(
            "spiffe://dev/me",
            Encoding.ASCII.GetString(certificate.Extensions["2.5.29.17"]!.RawData),
            StringComparison.Ordinal
        );
        Assert.True(certificate.Extensions["2.5.29.17"]!.Critical);
        Assert.Equal(
            data["expiration"]!.GetValue<long>(),
            new DateTimeOffset(certificate.NotAfter).ToUnixTimeSeconds()
        );
    }

    [Fact]
    public async Task With_a_roles_default_settings_the_csr_names_the_certificate()
    {
        await using var vault = await DevVaultClient.StartAsync();
        await PreparePkiAsync(vault);
        await vault.GetAsync(
            "POST",
            "pki/roles/r",
            """{"allowed_uri_sans":"spiffe://dev/*","require_cn":false,"key_type":"any"}"""
        );
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri("spiffe://dev/other"));

        var data = (await vault.GetAsync("POST", "pki/sign/r", Sign(NewCsr("", names: names))))["data"]!;

        using var certificate = X509Certificate2.CreateFromPem(data["certificate"]!.ToString());
        Assert.Contains(
            "spiffe://dev/other",
            Encoding.ASCII.GetString(certificate.Extensions["2.5.29.17"]!.RawData),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_revoked_certificate_stands_on_the_crl_and_others_do_not()
    {
        await using var vault = await DevVaultClient.StartAsync();
        await PreparePkiAsync(vault);
        var kept = await vault.GetAsync("POST", "pki/sign/r", Sign(NewCsr("")));
        var gone = await vault.GetAsync("POST", "pki/sign/r", Sign(NewCsr("")));
        var before = await vault.Http.GetByteArrayAsync("/v1/pki/crl");

        await vault.GetAsync("PUT", "sys/leases/revoke", $$"""{"lease_id":"{{gone["lease_id"]}}","sync":true}""");

        var builder = CertificateRevocationListBuilder.Load(
            await vault.Http.GetByteArrayAsync("/v1/pki/crl"),
            out var number
        );
        CertificateRevocationListBuilder.Load(before, out var earlier);
        Assert.True(number > earlier);
        Assert.True(builder.RemoveEntry(Serial(gone)));
        Assert.False(builder.RemoveEntry(Serial(kept)));

        static byte[] Serial(System.Text.Json.Nodes.JsonNode reply) =>
            Convert.FromHexString(
                reply["data"]!["serial_number"]!.ToString().Replace(":", "", StringComparison.Ordinal)
            );
    }

    [Fact]
    public async Task Garbage_for_a_csr_is_refused_and_a_forged_one_too()
    {
        await using var vault = await DevVaultClient.StartAsync();
        await PreparePkiAsync(vault);
        var forged = Convert.FromBase64String(
            string.Concat(NewCsr("CN=a").Split('\n').Where(line => !line.StartsWith('-')))
        );
        forged[^5] ^= 1;

        Assert.Equal(
            HttpStatusCode.BadRequest,
            (
                await vault.CallAsync(
                    "POST",
                    "pki/sign/r",
                    Sign("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----")
                )
            ).Status
        );
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (
                await vault.CallAsync(
                    "POST",
                    "pki/sign/r",
                    Sign(PemEncoding.WriteString("CERTIFICATE REQUEST", forged))
                )
            ).Status
        );
    }

    [Fact]
    public async Task Sealed_it_answers_503_until_it_is_unsealed_with_its_key()
    {
        await using var vault = await DevVaultClient.StartAsync();

        await vault.GetAsync("PUT", "sys/seal");

        Assert.True(vault.Vault.Sealed);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await vault.CallAsync("GET", "sys/health")).Status);
        var (status, json) = await vault.CallAsync("GET", "secret/data/x");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Vault is sealed"), (status, json!["errors"]![0]!.ToString()));
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await vault.CallAsync("PUT", "sys/unseal", """{"key":"00"}""")).Status
        );
        await vault.GetAsync("PUT", "sys/unseal", $$"""{"key":"{{vault.Vault.UnsealKey}}"}""");
        await vault.GetAsync("GET", "sys/mounts");
    }

    [Fact]
    public async Task It_has_no_database_engine_and_says_so()
    {
        await using var vault = await DevVaultClient.StartAsync();

        var (status, json) = await vault.CallAsync("GET", "database/creds/reader");

        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Contains("no handler for route", json!["errors"]![0]!.ToString(), StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await vault.CallAsync("POST", "sys/mounts/database", """{"type":"database"}""")).Status
        );
    }

    [Theory]
    [InlineData("evil.example.com")]
    [InlineData("127.0.0.1.nip.io")]
    public async Task A_name_that_is_not_loopbacks_own_is_not_answered(string host)
    {
        await using var vault = await DevVaultClient.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/sys/health") { Headers = { Host = host } };

        using var response = await vault.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.MisdirectedRequest, response.StatusCode);
    }

    [Fact]
    public async Task Bodies_are_bounded_in_size_and_depth_and_members_stand_once()
    {
        await using var vault = await DevVaultClient.StartAsync();

        Assert.Equal(
            HttpStatusCode.RequestEntityTooLarge,
            (
                await vault.CallAsync("POST", "secret/data/x", $$$"""{"data":{"a":"{{{new string('x', 1 << 20)}}}"}}""")
            ).Status
        );
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (
                await vault.CallAsync(
                    "POST",
                    "secret/data/x",
                    $$"""{"data":{{string.Concat(Enumerable.Repeat("[", 64))}}"""
                )
            ).Status
        );
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await vault.CallAsync("POST", "secret/data/x", """{"data":{},"data":{}}""")).Status
        );
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await vault.CallAsync("POST", "secret/data/x", """{"data":{"a":1,"a":2}}""")).Status
        );
    }

    [Fact]
    public async Task What_would_not_fit_is_refused()
    {
        await using var vault = await DevVaultClient.StartAsync();
        await vault.GetAsync("POST", "sys/mounts/pki", """{"type":"pki"}""");
        for (var i = 0; i < 16; i++)
        {
            await vault.GetAsync("POST", "pki/root/generate/internal", """{"common_name":"x","key_type":"ec"}""");
        }

        var (status, json) = await vault.CallAsync(
            "POST",
            "pki/root/generate/internal",
            """{"common_name":"x","key_type":"ec"}"""
        );
        Assert.Equal(HttpStatusCode.InternalServerError, status);
        Assert.Equal("this development Vault holds at most 16 issuers in one mount", json!["errors"]![0]!.ToString());
        Assert.Equal(
            HttpStatusCode.InternalServerError,
            (
                await vault.CallAsync(
                    "POST",
                    "auth/token/create",
                    $$$"""{"meta":{"a":"{{{new string('x', 20_000)}}}"}}"""
                )
            ).Status
        );
    }

    [Theory]
    [InlineData("""path "a" { capabilities = ["read"] control_group = { "x" = [] } }""")]
    [InlineData("""path "a" { capabilities = ["read"] min_wrapping_ttl = "1s" }""")]
    public async Task A_policy_that_it_could_not_enforce_is_refused(string policy)
    {
        await using var vault = await DevVaultClient.StartAsync();

        var (status, _) = await vault.CallAsync(
            "PUT",
            "sys/policies/acl/p",
            JsonSerializer.Serialize(new Dictionary<string, string> { ["policy"] = policy })
        );

        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    private static async Task<string> PreparePkiAsync(DevVaultClient vault)
    {
        await vault.GetAsync("POST", "sys/mounts/pki", """{"type":"pki","config":{"max_lease_ttl":"87600h"}}""");
        var root = await vault.GetAsync(
            "POST",
            "pki/root/generate/internal",
            """{"common_name":"dev CA","key_type":"ec","ttl":"8760h"}"""
        );
        await vault.GetAsync("POST", "pki/roles/r", SafeRole);
        return root["data"]!["certificate"]!.ToString();
    }

    private static string Sign(string csr) =>
        JsonSerializer.Serialize(
            new Dictionary<string, string>
            {
                ["csr"] = csr,
                ["ttl"] = "120s",
                ["uri_sans"] = "spiffe://dev/me",
            }
        );

    private static string NewCsr(string subject, ECDsa? key = null, SubjectAlternativeNameBuilder? names = null)
    {
        using var own = key is null ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : null;
        var request = new CertificateRequest(subject, key ?? own!, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            request.CertificateExtensions.Add(names.Build());
        }

        return request.CreateSigningRequestPem();
    }
}
