using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Core.Text;
using CredBroker.Dev;
using CredBroker.Vault;
using CredBroker.Vault.Setup;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>The contract on DevVault, which <c>vault setup</c> prepares as it does a real Vault.</summary>
public sealed class DevVaultContractTests : VaultContractTests
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("credbroker-vault-");
    private DevVault? _vault;

    protected override async Task<VaultOptions> PrepareAsync()
    {
        _vault = await DevVault.StartAsync(new DevVaultOptions(), default);
        var options = new VaultOptions
        {
            Address = _vault.Address.ToString(),
            Installation = Catalogue.Installation,
            TokenFile = Path.Combine(_directory.FullName, "token"),
        };
        var plan = SetupPlan.For(
            Catalogue.Installation,
            [Catalogue.KeyValue, Catalogue.Sign, Catalogue.Issue, Catalogue.Token]
        );
        using var run = new SetupRun(options, new SecretText(_vault.RootToken), TimeProvider.System);
        var report = await run.ApplyAsync(plan, default);
        Assert.True(
            report.IsComplete,
            string.Join(
                '\n',
                report.Findings.SelectMany(finding =>
                    finding.Details.Select(detail => $"{finding.Step.Path}: {detail}")
                )
            )
        );
        await PostAsync(
            "secret/data/payments/api-key",
            new JsonObject { ["data"] = new JsonObject { ["key"] = "s3cr3t" } }
        );
        var made = await PostAsync("auth/token/create/cb-test-broker", []);
        await File.WriteAllTextAsync(
            options.TokenFile,
            made.GetProperty("auth").GetProperty("client_token").GetString()
        );
        return options;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_vault is not null)
        {
            await _vault.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }

    private async Task<JsonElement> PostAsync(string path, JsonObject body)
    {
        using var http = new HttpClient(new SocketsHttpHandler());
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_vault!.Address, "/v1/" + path))
        {
            Content = JsonContent.Create(body),
        };
        request.Headers.Add("X-Vault-Token", _vault.RootToken);
        using var response = await http.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
