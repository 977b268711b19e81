using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using CredBroker.Client;
using CredBroker.Server.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// After real work, the secrets that were issued are searched for wherever the broker writes: nothing.
/// </summary>
public sealed class SecretLeakTests
{
    [Fact]
    public async Task No_issued_secret_and_no_token_is_in_the_database_the_logs_the_export_or_an_activity()
    {
        await using var world = await World.StartAsync();
        await world.KillBrokerAsync();
        var seen = new ConcurrentBag<string>();
        using var listener = Listen(seen);
        world.Settings["Log:Level"] = "Trace";
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(world.Settings).Build();
        await using var app = BrokerHost.Build(
            configuration,
            replace: services => services.AddSingleton<ILoggerProvider>(new Capture(seen))
        );
        await app.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(app.Urls.Single()),
        };
        var token = world.Token();
        AgentClient Agent(string bearer) => new(new(http, TokenSource.From(_ => new(bearer))));
        var agent = Agent(token);

        var user = await world.ExchangeAsync(agent);
        var value = await world.ExchangeAsync(agent, ttl: "1m", credential: "api-key");
        await agent.ReportAsync(user.LeaseId, new() { Status = "succeeded", Summary = "done" });
        await agent.ReleaseAsync(user.LeaseId);
        await Assert.ThrowsAsync<BrokerProblemException>(() => world.ExchangeAsync(Agent(token + "x")));
        await Assert.ThrowsAsync<BrokerProblemException>(() => world.ExchangeAsync(agent, credential: "unknown"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/audit/export")
        {
            Headers = { Authorization = new("Bearer", world.PersonToken("auditor")) },
        };
        using var export = await http.SendAsync(request);
        export.EnsureSuccessStatusCode();
        seen.Add(await export.Content.ReadAsStringAsync());
        foreach (
            var file in Directory
                .EnumerateFiles(world.Folder, "broker.db*")
                .Where(file => !file.EndsWith(".lock", StringComparison.Ordinal))
        )
        {
            await using var stream = new FileStream(
                file,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete
            );
            using var reader = new StreamReader(stream, Encoding.Latin1);
            seen.Add(await reader.ReadToEndAsync());
        }

        await app.StopAsync();

        Assert.Contains(seen, text => text.Contains(user.LeaseId, StringComparison.Ordinal));
        Assert.Contains(
            "kv-secret-value-7531",
            ((KeyValueSecret)value.Secret).Data.GetRawText(),
            StringComparison.Ordinal
        );
        foreach (
            var secret in new[]
            {
                Assert.IsType<DatabaseSecret>(user.Secret).Password,
                "kv-secret-value-7531",
                (await File.ReadAllTextAsync(world.Settings["Vault:TokenFile"]!)).Trim(),
                token[(token.LastIndexOf('.') + 1)..],
            }
        )
        {
            Assert.DoesNotContain(seen, text => text.Contains(secret, StringComparison.Ordinal));
        }
    }

    private static ActivityListener Listen(ConcurrentBag<string> seen)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                seen.Add($"{activity.OperationName} {activity.DisplayName} {activity.StatusDescription}");
                foreach (var tag in activity.TagObjects)
                {
                    seen.Add($"{tag.Key}={tag.Value}");
                }

                foreach (var happened in activity.Events)
                {
                    seen.Add(
                        $"{happened.Name} {string.Join(' ', happened.Tags.Select(tag => $"{tag.Key}={tag.Value}"))}"
                    );
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    private sealed class Capture(ConcurrentBag<string> seen) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            seen.Add(state.ToString() ?? "");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => seen.Add($"{formatter(state, exception)} {exception}");

        public void Dispose() { }
    }
}
