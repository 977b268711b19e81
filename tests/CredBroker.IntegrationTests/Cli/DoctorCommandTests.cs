using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using CredBroker.Client;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Cli;

public sealed class DoctorCommandTests
{
    private const string AskedLease = "GET /v1/credentials/00000000000000000000000000000000";

    [Fact]
    public async Task All_is_well_when_the_broker_is_and_takes_the_token()
    {
        await using var cli = await WithTokenAsync(
            """{"iss":"https://idp","sub":"s-1","aud":"broker","exp":4070908800}"""
        );
        cli.Broker.OnProblem(AskedLease, "CB6004", "No such lease.");

        var run = await cli.RunAsync("doctor");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("decoded here, not verified", run.Out, StringComparison.Ordinal);
        Assert.Contains("https://idp", run.Out, StringComparison.Ordinal);
        Assert.Contains("as a workload's", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("signature", run.Out + run.Error, StringComparison.Ordinal);
        Assert.EndsWith("All is well.\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_token_names_the_code_and_its_cure()
    {
        await using var cli = await WithTokenAsync(
            """{"iss":"https://idp","sub":"s-1","aud":"other","exp":4070908800}"""
        );
        cli.Broker.OnProblem(AskedLease, "CB1012", "The token is for another audience.");

        var run = await cli.RunAtTerminalAsync("doctor");

        Assert.Equal(5, run.ExitCode);
        Assert.Contains(
            "First failing check: identity: the broker refuses the token: CB1012",
            run.Error,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "Cure: Ask the issuer for a token whose audience is this broker.",
            run.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_persons_token_is_tried_where_a_persons_is_meant()
    {
        await using var cli = await WithTokenAsync(
            """{"iss":"https://idp","sub":"ada","aud":"console","exp":4070908800}"""
        );
        cli.Broker.OnProblem(AskedLease, "CB1017", "A person's token.")
            .On("GET /v1/leases", new() { Leases = [] }, BrokerJson.Default.LeaseListResponse);

        var run = await cli.RunAsync("doctor");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("as a person's with a role", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"iss":"i","sub":"s","aud":"a","exp":1}""", "expired")]
    [InlineData("""{"iss":"i","sub":"s","aud":"a","exp":4070908800,"nbf":4070908700}""", "not valid yet")]
    [InlineData("""{"iss":"i","sub":"s","aud":"a"}""", "no end")]
    [InlineData("""{"iss":"i","sub":"s","exp":4070908800}""", "no audience")]
    [InlineData("""[1]""", "holds no JWT")]
    public async Task A_fault_that_needs_no_key_is_seen_here(string claims, string found)
    {
        await using var cli = await WithTokenAsync(claims);
        cli.Broker.OnProblem(AskedLease, "CB6004", "No such lease.");

        var run = await cli.RunAsync("doctor", "--output", "json");

        Assert.Equal(5, run.ExitCode);
        var fault = JsonDocument
            .Parse(run.Out)
            .RootElement.GetProperty("checks")
            .EnumerateArray()
            .First(check => !check.GetProperty("ok").GetBoolean());
        Assert.Equal("token", fault.GetProperty("name").GetString());
        Assert.Contains(found, fault.GetProperty("found").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_part_that_keeps_secrets_from_being_issued_is_named()
    {
        await using var cli = await WithTokenAsync("""{"iss":"i","sub":"s","aud":"a","exp":4070908800}""");
        cli.Broker.OnProblem(AskedLease, "CB6004", "No such lease.");
        cli.Broker.On(
            "GET /health/issuing",
            new()
            {
                Status = "unavailable",
                Parts =
                [
                    new()
                    {
                        Name = "vault",
                        Status = "unavailable",
                        Code = "CB4002",
                        Detail = "sealed",
                    },
                ],
            },
            BrokerJson.Default.HealthResponse,
            503
        );

        var run = await cli.RunAsync("doctor");

        Assert.Equal(5, run.ExitCode);
        Assert.Contains("First failing check: issuing: vault: CB4002: sealed", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_watches_is_not_told_anew_that_a_broker_was_seen_again()
    {
        await using var cli = await WithTokenAsync(
            """{"iss":"https://idp","sub":"s-1","aud":"broker","exp":4070908800}"""
        );
        var identities = new Queue<string>(["CB6004", "CB6004", "CB1012", "CB1012"]);
        cli.Broker.On(
            AskedLease,
            context =>
            {
                context.Response.StatusCode = 403;
                return context.Response.WriteAsJsonAsync(
                    new()
                    {
                        Title = "No",
                        Status = 403,
                        Code = identities.Dequeue(),
                    },
                    BrokerJson.Default.ProblemResponse,
                    "application/problem+json"
                );
            }
        );
        var seen = 0;
        cli.Broker.On(
            "GET /health/ready",
            context =>
            {
                if (seen == 4)
                {
                    context.Response.StatusCode = 403;
                    return Task.CompletedTask;
                }

                return context.Response.WriteAsJsonAsync(
                    new()
                    {
                        Status = "ok",
                        Parts = [],
                        StoreBrokers = [new() { Id = "b-1", SeenAt = CliFixture.Later.AddSeconds(++seen) }],
                    },
                    BrokerJson.Default.HealthResponse
                );
            }
        );

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn: false, "doctor", "-o", "json");

        var told = run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(told.Length == 2, run.Out + run.Error);
        Assert.Contains("seen 2099-01-01T00:00:01Z", told[0], StringComparison.Ordinal);
        Assert.Contains("seen 2099-01-01T00:00:03Z", told[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("plain")]
    public async Task A_token_does_not_draw_on_the_screen(string format)
    {
        await using var cli = await WithTokenAsync(
            """{"iss":"https://idp","\u001b]0;mine\u0007":"x","\u001b[2J":"\u001b[2J","exp":4070908800}"""
        );
        cli.Broker.OnProblem(AskedLease, "CB6004", "No such lease.");

        var run = await cli.RunAtTerminalAsync("doctor", "-o", format);

        Assert.Contains("\uFFFD]0;mine\uFFFD", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("\e]", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("\e[2J", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_no_broker_is_told_apart()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /health/live", context => context.Response.WriteAsync("<html>"));

        var run = await cli.RunAsync("doctor");

        Assert.Equal(5, run.ExitCode);
        Assert.Contains("not as a broker does", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_down_is_the_first_fault()
    {
        var run = await CliRun.RunAsync(new Dictionary<string, string>(), "doctor", "--server", "http://127.0.0.1:9");

        Assert.Equal(5, run.ExitCode);
        Assert.Contains("First failing check: server:", run.Error, StringComparison.Ordinal);
    }

    private static async Task<CliFixture> WithTokenAsync(string claims)
    {
        var cli = await CliFixture.StartAsync();
        await File.WriteAllTextAsync(
            cli.TokenFile,
            $"{Part("""{"alg":"RS256","kid":"k"}""")}.{Part(claims)}.signature"
        );
        foreach (var probe in new[] { "live", "ready", "issuing" })
        {
            cli.Broker.On(
                $"GET /health/{probe}",
                new() { Status = "ok", Parts = [] },
                BrokerJson.Default.HealthResponse
            );
        }

        return cli;

        static string Part(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
    }
}
