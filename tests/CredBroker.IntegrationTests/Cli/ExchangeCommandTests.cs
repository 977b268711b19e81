using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CredBroker.Client;

namespace CredBroker.IntegrationTests.Cli;

public sealed class ExchangeCommandTests
{
    [Fact]
    public async Task A_lease_is_renewed_for_the_time_that_was_asked_for()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            $"POST /v1/credentials/{CliFixture.LeaseId}/renew",
            CliFixture.Lease(),
            BrokerJson.Default.LeaseResponse
        );

        var run = await cli.RunAsync("renew", CliFixture.LeaseId, "--ttl", "3m");
        var json = await cli.RunAsync("renew", CliFixture.LeaseId, "-o", "json");

        Assert.Equal((0, "Renewed: the secret ends at 2099-01-01T00:00:00Z.\n"), (run.ExitCode, run.Error));
        Assert.Equal(CliFixture.LeaseId, JsonElement.Parse(json.Out).GetProperty("leaseId").GetString());
        Assert.Equal(["""{"ttl":"3m"}""", "{}"], cli.Broker.Calls.Select(call => call.Body));
    }

    [Fact]
    public async Task A_secret_is_printed_to_standard_output_and_the_lease_to_standard_error()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);

        var run = await cli.RunAsync([
            "exchange",
            "billing-readonly",
            .. CliFixture.Task,
            "--ttl",
            "10m",
            "--tool",
            "query",
            "--tool-arguments",
            """{"limit":5}""",
        ]);

        Assert.Equal(
            (
                0,
                "username: cb-1_x\npassword: hunter2\nhost: billing-db\n"
                    + "port: 5433\ndatabase: billing\nsslmode: verify-full\n"
            ),
            (run.ExitCode, run.Out)
        );
        Assert.Contains($"credbroker release {CliFixture.LeaseId}", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", run.Error, StringComparison.Ordinal);
        var call = Assert.Single(cli.Broker.Calls);
        Assert.Equal("Bearer header.claims.signature", call.Authorization);
        Assert.Equal(
            """{"task":{"id":"run-17","process":"invoice-triage","purpose":"find duplicates"}"""
                + ""","credential":"billing-readonly","actions":["read"]"""
                + ""","ttl":"10m","toolCall":{"name":"query","arguments":{"limit":5}}}""",
            call.Body
        );
    }

    [Fact]
    public async Task Parameters_of_the_credential_are_sent_by_name()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        string[] command =
        [
            "exchange",
            "tenant-key",
            .. CliFixture.Task,
            "--param",
            "tenant=acme",
            "--param",
            "stage=a=b",
        ];

        Assert.Equal(0, (await cli.RunAsync(command)).ExitCode);
        Assert.Contains(
            ""","params":{"tenant":"acme","stage":"a=b"}""",
            Assert.Single(cli.Broker.Calls).Body,
            StringComparison.Ordinal
        );

        foreach (var wrong in (string[])["tenant", "=acme", "tenant=ajax"])
        {
            var run = await cli.RunAsync([.. command, "--param", wrong]);
            Assert.Equal(2, run.ExitCode);
            Assert.Contains("tenant=acme", run.Error, StringComparison.Ordinal);
        }

        Assert.Single(cli.Broker.Calls);
    }

    [Fact]
    public async Task Programs_get_the_reply_as_json()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(
            new KeyValueSecret { Data = JsonElement.Parse("""{"apiKey":"hunter2"}""") }
        );

        var run = await cli.RunAsync(["exchange", "payments-api-key", .. CliFixture.Task, "--output", "json"]);

        var reply = JsonSerializer.Deserialize(run.Out, BrokerJson.Default.ExchangeResponse)!;
        Assert.Equal("hunter2", Assert.IsType<KeyValueSecret>(reply.Secret).Data.GetProperty("apiKey").GetString());
        Assert.Equal("", run.Error);
    }

    [Fact]
    public async Task A_key_is_made_here_written_for_its_owner_alone_and_only_its_request_is_sent()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(
            new CertificateSecret
            {
                Certificate = "CERT\n",
                Chain = ["ISSUER\n"],
                Serial = "01",
            }
        );
        var (keyFile, certFile) = (Path.Combine(cli.Folder, "key.pem"), Path.Combine(cli.Folder, "cert.pem"));

        var run = await cli.RunAsync([
            "exchange",
            "agent-mtls",
            .. CliFixture.Task,
            "--key-out",
            keyFile,
            "--cert-out",
            certFile,
        ]);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("CERT\nISSUER\n", await File.ReadAllTextAsync(certFile));
        var body = JsonDocument.Parse(Assert.Single(cli.Broker.Calls).Body).RootElement;
        var request = CertificateRequest.LoadSigningRequestPem(
            body.GetProperty("csr").GetString()!,
            HashAlgorithmName.SHA256
        );
        using var key = ECDsa.Create();
        key.ImportFromPem(await File.ReadAllTextAsync(keyFile));
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), request.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.DoesNotContain("PRIVATE KEY", run.Out + run.Error + body.GetRawText(), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keyFile));
        }
    }

    [Fact]
    public async Task A_new_key_without_a_file_is_printed_beside_its_certificate()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(
            new CertificateSecret
            {
                Certificate = "CERT",
                Chain = [],
                Serial = "01",
            }
        );

        var run = await cli.RunAsync(["exchange", "agent-mtls", .. CliFixture.Task, "--new-key", "-o", "json"]);

        Assert.Contains(
            "PRIVATE KEY",
            Assert
                .IsType<CertificateSecret>(
                    JsonSerializer.Deserialize(run.Out, BrokerJson.Default.ExchangeResponse)!.Secret
                )
                .PrivateKey,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_key_file_that_exists_is_kept_and_nothing_is_asked_for()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        var keyFile = Path.Combine(cli.Folder, "key.pem");
        await File.WriteAllTextAsync(keyFile, "precious");

        var run = await cli.RunAsync(["exchange", "agent-mtls", .. CliFixture.Task, "--key-out", keyFile]);

        Assert.Equal(2, run.ExitCode);
        Assert.Equal("precious", await File.ReadAllTextAsync(keyFile));
        Assert.Empty(cli.Broker.Calls);
    }

    [Fact]
    public async Task A_refused_request_leaves_no_key_file_and_says_what_to_do_next()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.OnProblem("POST /v1/credentials", "CB2001", "No rule allows this.");
        var keyFile = Path.Combine(cli.Folder, "key.pem");

        var run = await cli.RunAsync(["exchange", "agent-mtls", .. CliFixture.Task, "--key-out", keyFile]);

        Assert.Equal((3, ""), (run.ExitCode, run.Out));
        Assert.Equal(
            "credbroker: CB2001: Not allowed by policy: No rule allows this.\n"
                + "Next: Stop, or ask for another credential or for fewer actions.\nTrace: trace-1\n",
            run.Error
        );
        Assert.False(File.Exists(keyFile));
    }

    [Fact]
    public async Task Programs_get_the_problem_as_json_on_standard_error()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.OnProblem("POST /v1/credentials", "CB4002", "Vault is sealed.", retryAfter: 30);

        var run = await cli.RunAsync(["exchange", "billing-readonly", .. CliFixture.Task, "--output", "json"]);

        Assert.Equal((4, ""), (run.ExitCode, run.Out));
        Assert.Equal(
            ("CB4002", 30),
            (
                JsonDocument.Parse(run.Error).RootElement.GetProperty("code").GetString(),
                JsonDocument.Parse(run.Error).RootElement.GetProperty("retryAfter").GetInt32()
            )
        );
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("")]
    [InlineData("a.b.c\nd.e.f")]
    public async Task What_is_no_token_is_not_sent_and_not_printed(string content)
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        await File.WriteAllTextAsync(cli.TokenFile, content);

        var run = await cli.RunAsync(["exchange", "billing-readonly", .. CliFixture.Task]);

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(cli.Broker.Calls);
        Assert.All(
            content.Split(' ', '\n').Where(part => part.Length > 0),
            part =>
                Assert.DoesNotContain(
                    part,
                    run.Error.Replace("token alone", "", StringComparison.Ordinal),
                    StringComparison.Ordinal
                )
        );
    }

    [Fact]
    public async Task GitHubs_token_is_requested_for_this_broker()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        cli.Broker.On(
            "GET /github",
            context =>
                Microsoft.AspNetCore.Http.HttpResponseJsonExtensions.WriteAsJsonAsync(
                    context.Response,
                    new Dictionary<string, string> { ["value"] = "a.b.c" }
                )
        );
        var environment = cli.Environment;
        environment.Remove("CREDBROKER_TOKEN_FILE");
        environment["ACTIONS_ID_TOKEN_REQUEST_URL"] = $"{cli.Broker.Address}github?api-version=2.0";
        environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "request-token";

        var run = await CliRun.RunAsync(
            environment,
            ["exchange", "billing-readonly", .. CliFixture.Task, "--audience", "https://broker"]
        );

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            [("Bearer request-token", "?api-version=2.0&audience=https%3A%2F%2Fbroker"), ("Bearer a.b.c", "")],
            cli.Broker.Calls.Select(call => (call.Authorization, call.Query))
        );
    }

    [Fact]
    public async Task GitLabs_variable_is_a_token_source()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        var environment = cli.Environment;
        environment.Remove("CREDBROKER_TOKEN_FILE");
        environment["CREDBROKER_ID_TOKEN"] = "a.b.c";

        await CliRun.RunAsync(environment, ["exchange", "billing-readonly", .. CliFixture.Task]);

        Assert.Equal("Bearer a.b.c", Assert.Single(cli.Broker.Calls).Authorization);
    }

    [Theory]
    [InlineData(204, null, 0, "Vault has confirmed")]
    [InlineData(202, "revoking", 4, "goes on revoking")]
    [InlineData(200, "ended", 0, "Nobody can revoke")]
    public async Task Release_says_what_it_came_to(int status, string? state, int exitCode, string text)
    {
        await using var cli = await CliFixture.StartAsync();
        var call = $"DELETE /v1/credentials/{CliFixture.LeaseId}";
        _ = state is null
            ? cli.Broker.OnStatus(call, status)
            : cli.Broker.On(
                call,
                new()
                {
                    State = state,
                    StillValid =
                    [
                        new()
                        {
                            LeaseId = "l",
                            Credential = "c",
                            What = "rotate secret/payments",
                        },
                    ],
                },
                BrokerJson.Default.ReleaseResponse,
                status
            );

        var run = await cli.RunAsync("release", CliFixture.LeaseId);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(text, run.Error, StringComparison.Ordinal);
        Assert.Equal(
            state is not null,
            run.Error.Contains("Still valid: rotate secret/payments", StringComparison.Ordinal)
        );
    }
}
