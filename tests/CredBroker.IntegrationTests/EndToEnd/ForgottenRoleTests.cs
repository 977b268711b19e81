using System.Text.Json.Nodes;
using CredBroker.Client;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// An order of everything where neither the store nor the policy knows a role any more, with nothing faked: Vault tells of
/// it.
/// </summary>
public sealed class ForgottenRoleTests : IAsyncLifetime
{
    private World _world = null!;

    public async ValueTask InitializeAsync() =>
        _world = await World.StartAsync(credentials: world =>
            Entry(world, "reports", "database") + "\n" + Entry(world, "archived", "archive")
        );

    public ValueTask DisposeAsync() => _world?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Everything_ends_users_of_roles_that_nobody_knows_any_more_and_says_where_it_could_not_look(
        bool isSetUpAnew
    )
    {
        await _world.Postgres.CreateAdminAsync("others_admin");
        var (report, archived) = (await UserAsync("reports"), await UserAsync("archived"));
        var others = new[] { await OthersAsync("cb-e2ex-reports"), await OthersAsync("cb-other-e2e-reports") };
        await _world.LoseStoreAsync();
        await _world.ForgetCredentialsAsync();
        if (isSetUpAnew)
        {
            // From now on the broker has no right at the mount that the policy no longer names.
            await _world.PrepareVaultAsync();
        }

        await _world.StartBrokerAsync();
        var admin = _world.Person("admin");
        var preview = await admin.PreviewRevocationAsync(new() { Everything = true, Reason = "restored" });
        var order = await admin.RevokeAsync(
            new()
            {
                Everything = true,
                Confirm = true,
                Reason = "restored",
            }
        );
        RevocationResponse? progress = null;
        await Eventually.BecomesTrueAsync(
            async () => (progress = await admin.GetRevocationAsync(order.RevocationId)).Complete,
            "the order is complete"
        );

        Assert.False(await CanLogInAsync(report));
        Assert.Equal(isSetUpAnew, await CanLogInAsync(archived));
        foreach (var other in others)
        {
            Assert.True(await CanLogInAsync(other));
        }

        foreach (var said in new[] { preview.StillValid, progress!.StillValid })
        {
            if (isSetUpAnew)
            {
                Assert.Contains(said, left => left.What.Contains(" archive/", StringComparison.Ordinal));
            }
            else
            {
                Assert.DoesNotContain(said, left => left.What.Contains(" archive/", StringComparison.Ordinal));
            }

            // Their child tokens.
            Assert.Contains(said, left => left.What.Contains(" cb-e2e-reports ", StringComparison.Ordinal));
            Assert.DoesNotContain(said, left => left.What.Contains(" cb-e2e-billing", StringComparison.Ordinal));
        }
    }

    private async Task<DatabaseSecret> UserAsync(string credential)
    {
        var secret = (DatabaseSecret)(await _world.ExchangeAsync(_world.Agent(), credential: credential)).Secret;
        Assert.True(await CanLogInAsync(secret));
        return secret;
    }

    /// <summary>A user of another installation's role at the same mount.</summary>
    private async Task<DatabaseSecret> OthersAsync(string role)
    {
        await _world.Vault.SendAsync(
            HttpMethod.Post,
            "database/config/others",
            JsonNode.Parse(
                $$$"""
                {"plugin_name":"postgresql-database-plugin","allowed_roles":["*"],
                 "username":"others_admin","password":"others_admin-password",
                 "connection_url":"postgresql://{{username}}:{{password}}@127.0.0.1:{{{_world.Postgres.Port}}}/billing?sslmode=disable"}
                """
            )
        );
        await _world.Vault.SendAsync(
            HttpMethod.Post,
            $"database/roles/{role}",
            JsonNode.Parse(
                """
                {"db_name":"others","creation_statements":["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'"]}
                """
            )
        );
        var made = (await _world.Vault.SendAsync(HttpMethod.Get, $"database/creds/{role}")).GetProperty("data");
        var secret = new DatabaseSecret
        {
            Username = made.GetProperty("username").GetString()!,
            Password = made.GetProperty("password").GetString()!,
        };
        Assert.True(await CanLogInAsync(secret));
        return secret;
    }

    private Task<bool> CanLogInAsync(DatabaseSecret secret) =>
        _world.Postgres.CanLogInAsync(secret.Username, secret.Password);

    private static string Entry(World world, string name, string mount) =>
        $$"""
              {{name}}:
                vault:
                  engine: database
                  mount: {{mount}}
                  role: cb-e2e-{{name}}
                  setup:
                    connection: {{name}}
                    adminCredentialFile: {{Path.Combine(world.Folder, "billing-admin")}}
                    grants:
                      - GRANT USAGE ON SCHEMA billing TO "{{"{{name}}"}}"
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 15m
                connection: { host: 127.0.0.1, port: {{world.Postgres.Port}}, database: {{TestPostgres.Database}}, sslmode: disable }
            """;
}
