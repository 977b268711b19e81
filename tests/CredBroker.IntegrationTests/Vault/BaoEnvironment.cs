using System.Text.Json.Nodes;
using CredBroker.Core.Policy;
using CredBroker.Core.Text;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using CredBroker.Vault;
using CredBroker.Vault.Setup;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// A real OpenBao that <c>vault setup</c> alone has prepared for a catalogue, and the broker's token in a file.
/// </summary>
internal sealed class BaoEnvironment : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("credbroker-vault-");

    private BaoEnvironment(TestBao bao, TestPostgres? postgres) => (Bao, Postgres) = (bao, postgres);

    public TestBao Bao { get; }

    public TestPostgres? Postgres { get; }

    /// <summary>With the longest timeouts there are: none of them is what these tests are about.</summary>
    public VaultOptions Options =>
        new()
        {
            Address = Bao.Address.ToString(),
            Namespace = Bao.Namespace,
            Installation = Catalogue.Installation,
            TokenFile = Path.Combine(_directory.FullName, "token"),
            CallTimeout = TimeSpan.FromMinutes(1),
            MintTimeout = Patience.Limit,
            RevokeTimeout = Patience.Limit,
        };

    /// <summary>The billing database's credential; needs a PostgreSQL.</summary>
    public CatalogueEntry Database => DatabaseEntry("billing-readonly");

    public string AdminFile => Path.Combine(_directory.FullName, "billing-admin");

    /// <summary>
    /// Prepares the given servers, which it takes over; with a PostgreSQL, the database credential too.
    /// </summary>
    public static async Task<BaoEnvironment> StartAsync(
        TestBao bao,
        TestPostgres? postgres,
        params IEnumerable<CatalogueEntry> catalogue
    )
    {
        var environment = new BaoEnvironment(bao, postgres);
        var entries = catalogue.ToList();
        if (postgres is not null)
        {
            await File.WriteAllTextAsync(environment.AdminFile, await postgres.CreateAdminAsync());
            entries.Add(environment.Database);
        }

        var report = await environment.SetUpAsync(entries);
        Assert.True(
            report.IsComplete,
            string.Join(
                '\n',
                report.Findings.SelectMany(finding =>
                    finding.Details.Select(detail => $"{finding.Step.Path}: {detail}")
                )
            )
        );
        var made = await bao.SendAsync(HttpMethod.Post, "auth/token/create/cb-test-broker", new JsonObject());
        await File.WriteAllTextAsync(
            environment.Options.TokenFile,
            made.GetProperty("auth").GetProperty("client_token").GetString()
        );
        return environment;
    }

    public async Task<SetupReport> SetUpAsync(IEnumerable<CatalogueEntry> entries, AppRoleSetup? appRole = null)
    {
        var plan = SetupPlan.For(Catalogue.Installation, entries, appRole);
        Assert.Empty(plan.Faults);
        using var run = new SetupRun(Options, new SecretText(Bao.RootToken), TimeProvider.System);
        return await run.ApplyAsync(plan, default);
    }

    public Task WriteKeyValueAsync() =>
        Bao.SendAsync(
            HttpMethod.Post,
            "secret/data/payments/api-key",
            new JsonObject { ["data"] = new JsonObject { ["key"] = "s3cr3t" } }
        );

    public async ValueTask DisposeAsync()
    {
        await Bao.DisposeAsync();
        if (Postgres is not null)
        {
            await Postgres.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }

    public CatalogueEntry DatabaseEntry(string name) =>
        Catalogue.Entry(name, new VaultBinding.Database("database", $"cb-test-{name}")) with
        {
            Connection = new("127.0.0.1", Postgres!.Port, TestPostgres.Database, "disable"),
            Setup = new()
            {
                Connection = "billing",
                AdminCredentialFile = AdminFile,
                Grants =
                [
                    "GRANT USAGE ON SCHEMA billing TO \"{{name}}\"",
                    "GRANT SELECT ON ALL TABLES IN SCHEMA billing TO \"{{name}}\"",
                ],
            },
        };
}
