using CredBroker.Client;
using CredBroker.FaultHarness.Servers;
using CredBroker.Testing;
using Npgsql;

namespace CredBroker.FaultHarness.Load;

/// <summary>
/// One running agent: it asks, and then releases, renews, lets expire, or closes its task; now and then it hangs up in
/// the middle. Each call goes to any of the brokers.
/// </summary>
internal sealed class Agent(Arena arena, Ledger ledger, Tally tally, StopProbe probe, Dice dice, string instance)
{
    /// <summary>Mostly database users, as they are what can live on.</summary>
    private static readonly IReadOnlyList<string> Wanted =
    [
        .. Enumerable.Repeat(ArenaPolicy.Databases, 4).SelectMany(names => names),
        ArenaPolicy.Token,
        ArenaPolicy.KeyValue,
    ];

    private readonly IReadOnlyList<AgentClient> _clients = arena.Agent(instance);
    private int _task;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (await ExchangeAsync() is { } issued)
            {
                await UseAsync(issued);
            }

            if (dice.Chance(0.08))
            {
                await CloseTaskAsync();
            }

            await Pause.ForAsync(dice.Between(0.1, 0.7), stop);
        }
    }

    public static ExchangeRequest Request(string taskId, string credential, TimeSpan ttl) =>
        new()
        {
            Task = new()
            {
                Id = taskId,
                Process = ArenaPolicy.Process,
                Purpose = "sort invoices",
            },
            Credential = credential,
            Actions = ["read"],
            Ttl = ttl,
        };

    private string TaskId => $"{instance}-{_task}";

    private AgentClient Client => dice.Of(_clients);

    private async Task<Issued?> ExchangeAsync()
    {
        var request = Request(TaskId, dice.Of(Wanted), dice.Chance(0.4) ? dice.Seconds(2, 6) : dice.Seconds(10, 100));
        var patience = dice.Chance(0.08) ? dice.Between(0.01, 0.3) : TimeSpan.FromSeconds(15);
        var broker = dice.Below(_clients.Count);
        var answer = await Traffic.TryAsync(
            tally,
            "exchange",
            patience,
            limit => _clients[broker].ExchangeAsync(request, limit).AsTask()
        );
        if (answer is null || Issued.Of(request, instance, broker, answer) is not { } issued)
        {
            return null;
        }

        ledger.Add(issued);
        return issued;
    }

    private async Task UseAsync(Issued issued)
    {
        if (issued.Login is { } login && dice.Chance(0.25))
        {
            try
            {
                issued.Session = await arena.Postgres.ConnectAsync(login.User, login.Password);
            }
            catch (NpgsqlException)
            {
                // The server is down, or somebody revoked the lease meanwhile: then it is not used.
            }
        }

        if (dice.Chance(0.15))
        {
            await Traffic.TryAsync(
                tally,
                "renewal",
                TimeSpan.FromSeconds(15),
                limit => Client.RenewAsync(issued.LeaseId, new() { Ttl = dice.Seconds(5, 60) }, limit).AsTask()
            );
        }

        if (dice.Chance(0.4))
        {
            var released = await Traffic.TryAsync(
                tally,
                "release",
                dice.Chance(0.1) ? dice.Between(0.01, 0.3) : TimeSpan.FromSeconds(20),
                limit => Client.ReleaseAsync(issued.LeaseId, limit).AsTask()
            );
            if (released?.State == LeaseStates.Revoked)
            {
                ledger.Tell(issued.LeaseId, "its agent was answered: revoked");
            }
        }
    }

    private async Task CloseTaskAsync()
    {
        var (task, losses) = (TaskId, arena.Store.Losses);
        _task++;
        var closed = await Traffic.TryAsync(
            tally,
            "task close",
            TimeSpan.FromSeconds(15),
            async limit =>
            {
                await Client.CloseTaskAsync(task, new() { Process = ArenaPolicy.Process }, limit);
                return task;
            }
        );
        if (closed is not null)
        {
            await probe.RunAsync($"the end of task {task}", ["CB2013"], instance, task, losses);
        }
    }
}
