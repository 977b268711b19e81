using System.Collections.Concurrent;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CredBroker.IntegrationTests.Client;

public sealed class CredBrokerClientServicesTests(DevBroker dev) : IClassFixture<DevBroker>
{
    [Fact]
    public async Task A_lease_from_a_real_broker_is_live_until_it_is_disposed()
    {
        var environment = await dev.AgentAsync("client-1");
        await using var services = Services(options =>
        {
            options.Address = new(environment["CREDBROKER_SERVER"]);
            options.TokenSource = TokenSource.File(environment["CREDBROKER_TOKEN_FILE"]);
        });
        var agent = services.GetRequiredService<AgentClient>();
        using var key = CertificateKey.Create();
        string leaseId;

        await using (
            var lease = await agent.AcquireAsync(
                new()
                {
                    Task = new()
                    {
                        Id = "client-lease-1",
                        Process = "invoice-triage",
                        Purpose = "find duplicates",
                    },
                    Credential = "agent-mtls",
                    Actions = ["connect"],
                    Csr = key.CreateRequest(),
                },
                new() { Renew = false }
            )
        )
        {
            leaseId = lease.LeaseId;
            Assert.StartsWith(
                "-----BEGIN CERTIFICATE",
                lease.GetSecret<CertificateSecret>().Certificate,
                StringComparison.Ordinal
            );
            Assert.Equal(LeaseStates.Active, (await agent.GetLeaseAsync(leaseId)).State);
            await agent.ReportAsync(leaseId, new() { Status = "succeeded" });
        }

        Assert.Equal(LeaseStates.Revoked, (await agent.GetLeaseAsync(leaseId)).State);
    }

    [Fact]
    public async Task A_person_orders_a_revocation_and_follows_it_to_its_end()
    {
        var environment = await dev.PersonAsync("admin");
        using var connection = new BrokerConnection(
            new Uri(environment["CREDBROKER_SERVER"]),
            TokenSource.File(environment["CREDBROKER_TOKEN_FILE"])
        );
        var admin = new AdminClient(connection);
        var order = await admin.RevokeAsync(
            new()
            {
                Process = "nobody-runs-this",
                Reason = "a test",
                AllowNone = true,
            }
        );

        RevocationResponse? last = null;
        await foreach (var progress in admin.FollowRevocationAsync(order.RevocationId))
        {
            last = progress;
        }

        Assert.True(last?.Complete);
    }

    [Fact]
    public async Task Nothing_that_is_logged_holds_a_token_or_a_secret_not_even_at_trace()
    {
        await using var broker = await StubBroker.StartAsync();
        CliFixture.Issue(broker);
        var lines = new ConcurrentQueue<string>();
        await using var services = Services(
            options =>
            {
                options.Address = broker.Address;
                options.TokenSource = TokenSource.From(_ => new("hunter1.b.c"));
            },
            lines
        );

        await using (
            var lease = await services.GetRequiredService<AgentClient>().AcquireAsync(Request, new() { Renew = false })
        )
        {
            Assert.Equal("hunter2", lease.GetSecret<DatabaseSecret>().Password);
        }

        Assert.Equal("Bearer hunter1.b.c", broker.Calls.First().Authorization);
        Assert.Contains(lines, line => line.Contains("Authorization", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("hunter", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lease_that_could_not_be_given_back_is_logged()
    {
        await using var broker = await StubBroker.StartAsync();
        CliFixture.Issue(broker);
        broker.OnProblem($"DELETE /v1/credentials/{CliFixture.LeaseId}", "CB5001", "The store does not answer.");
        var lines = new ConcurrentQueue<string>();
        await using var services = Services(
            options => (options.Address, options.TokenSource) = (broker.Address, TokenSource.From(_ => new("t"))),
            lines
        );

        await (
            await services.GetRequiredService<AgentClient>().AcquireAsync(Request, new() { Renew = false })
        ).DisposeAsync();

        var line = Assert.Single(lines, line => line.Contains("given back", StringComparison.Ordinal));
        Assert.Contains(CliFixture.LeaseId, line, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_with_a_path_keeps_it_and_no_redirect_is_followed()
    {
        await using var broker = await StubBroker.StartAsync();
        broker.On(
            "GET /broker/v1/policy",
            context =>
            {
                context.Response.Redirect("/elsewhere");
                return Task.CompletedTask;
            }
        );
        await using var services = Services(options =>
            (options.Address, options.TokenSource) = (new(broker.Address, "broker"), TokenSource.From(_ => new("t")))
        );

        var problem = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            services.GetRequiredService<AdminClient>().GetPolicyAsync().AsTask()
        );

        Assert.Equal(302, problem.Status);
        Assert.Equal("GET /broker/v1/policy", Assert.Single(broker.Calls).Call);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("http://broker.example")]
    [InlineData("broker.example")]
    public async Task Settings_are_checked_at_the_start_and_all_faults_told_together(string? address)
    {
        await using var services = Services(options =>
        {
            options.Address = address is null ? null : new Uri(address, UriKind.RelativeOrAbsolute);
            options.Timeout = TimeSpan.Zero;
        });

        var fault = Assert.Throws<OptionsValidationException>(() =>
            services.GetRequiredService<IStartupValidator>().Validate()
        );

        Assert.Equal(2, fault.Failures.Count());
    }

    private static readonly ExchangeRequest Request = new()
    {
        Task = CliFixture.Lease().Task,
        Credential = "billing-readonly",
        Actions = ["read"],
    };

    private static ServiceProvider Services(
        Action<CredBrokerClientOptions> configure,
        ConcurrentQueue<string>? lines = null
    )
    {
        var services = new ServiceCollection();
        services.AddLogging(logging =>
            logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new Lines(lines ?? new ConcurrentQueue<string>()))
        );
        services.AddCredBrokerClient(configure);
        return services.BuildServiceProvider();
    }

    private sealed class Lines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose() { }
    }
}
