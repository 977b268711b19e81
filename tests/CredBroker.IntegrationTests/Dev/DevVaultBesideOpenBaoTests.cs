using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CredBroker.Dev;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>
/// The same requests to DevVault and to a real OpenBao: status, members, kinds and the words of errors must be equal.
/// </summary>
public sealed class DevVaultBesideOpenBaoTests(SharedBao shared) : IClassFixture<SharedBao>
{
    private static readonly string[] Areas =
    [
        "health",
        "policies",
        "capabilities",
        "tokens",
        "token-roles",
        "renewal",
        "accessors",
        "access",
        "parameters",
        "leases",
        "mounts",
        "kv",
        "kv-patch",
        "bodies",
        "wrong-types",
        "display-names",
        "reachable-mounts",
        "pki",
        "pki-roles",
        "pki-names",
        "approle",
        "secret-ids",
        "networks",
        "wrapping",
        "unwrapping",
        "headers",
    ];

    public static TheoryData<string> Scripts => [.. Areas];

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task DevVault_answers_as_OpenBao_does(string area)
    {
        var bao = await shared.GetAsync();
        await using var vault = await DevVault.StartAsync(
            new DevVaultOptions { RootToken = "root" },
            TestContext.Current.CancellationToken
        );
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var script = await File.ReadAllTextAsync(
            Path.Combine(AppContext.BaseDirectory, "Dev", "Scripts", area + ".txt"),
            TestContext.Current.CancellationToken
        );
        var given = new Dictionary<string, string>
        {
            ["csr"] = Csr("evil.example.com", "spiffe://a/other", "evil.example.com"),
            ["plaincsr"] = Csr("", null, null),
            ["area"] = area,
        };

        var real = await new VaultScript(bao.Address, bao.RootToken, http, given).RunAsync(script);
        var dev = await new VaultScript(vault.Address, vault.RootToken, http, given).RunAsync(script);

        var differences = real.Zip(dev)
            .Where(pair => pair.First.Shape != pair.Second.Shape)
            .Select(pair =>
                $"{pair.First.Line}\n  OpenBao:  {pair.First.Shape}\n  DevVault: {pair.Second.Shape}\n"
                + $"  OpenBao's warnings: {pair.First.Json?["warnings"]?.ToJsonString()}"
            );
        Assert.True(real.Count == dev.Count && !differences.Any(), string.Join('\n', differences));
    }

    /// <summary>A CSR as the inside of a JSON string.</summary>
    private static string Csr(string commonName, string? uri, string? dns)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(
            commonName.Length == 0 ? "" : $"CN={commonName}",
            key,
            HashAlgorithmName.SHA256
        );
        if (uri is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddUri(new Uri(uri));
            names.AddDnsName(dns!);
            request.CertificateExtensions.Add(names.Build());
        }

        return JsonEncodedText.Encode(request.CreateSigningRequestPem()).ToString();
    }
}
