using System.Data.Common;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CredBroker.Benchmarks.Load;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// A broker whose store was filled before it started. What becomes of leases is read from the store's own record.
/// </summary>
internal sealed class FullBroker : IAsyncDisposable
{
    /// <summary>Of the credential whose leases the store is filled with.</summary>
    private const string Credential = "archive";
    private const int LifeInMinutes = 200;
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(300);

    private readonly DirectoryInfo _directory;
    private readonly Child _broker;
    private readonly DbConnection _reader;
    private readonly IBrokerStore? _other;

    private FullBroker(string name, DirectoryInfo directory, Child broker, DbConnection reader, IBrokerStore? other) =>
        (Name, _directory, _broker, _reader, _other) = (name, directory, broker, reader, other);

    public string Name { get; }

    public Uri Address => _broker.Address;

    public static async Task<FullBroker> StartOnSqliteAsync(
        DirectoryInfo directory,
        Agents agents,
        Uri vault,
        Func<LeasePairs, Task> fill
    )
    {
        var own = directory.CreateSubdirectory("full-sqlite");
        var file = RealBroker.Database(own);
        using (
            var store = SqliteBrokerStore.Open(
                new StorageOptions { SqliteFile = file },
                TimeProvider.System,
                NullLogger<SqliteBrokerStore>.Instance
            )
        )
        {
            await fill(new(store, Credential, LifeInMinutes));
        }

        return await StartOnSqliteAsync("SQLite", own, agents, vault, "hvs.own");
    }

    /// <summary>On what an SQLite file in the directory holds, if there is one.</summary>
    public static async Task<FullBroker> StartOnSqliteAsync(
        string name,
        DirectoryInfo directory,
        Agents agents,
        Uri vault,
        string vaultToken,
        PolicyDocument? policy = null
    )
    {
        var broker = await RealBroker.StartAsync(directory, agents, vault, vaultToken, document: policy);
        var settings = new SqliteConnectionStringBuilder
        {
            DataSource = RealBroker.Database(directory),
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        };
        return await StartAsync(name, directory, broker, new SqliteConnection(settings.ToString()), null);
    }

    public static async Task<FullBroker> StartAsync(
        BenchPostgres postgres,
        DirectoryInfo directory,
        Agents agents,
        Uri vault,
        Func<LeasePairs, Task> fill
    )
    {
        var file = await postgres.CreateSchemaAsync("live");
        using (var store = BenchPostgres.Open(file))
        {
            await fill(new(store, Credential, LifeInMinutes));
        }

        await postgres.ExecuteAsync("VACUUM ANALYZE");
        // The other broker: it only looks.
        return await StartAsync("PostgreSQL", file, directory, agents, vault, BenchPostgres.Open(file));
    }

    /// <summary>On a schema as it is.</summary>
    public static async Task<FullBroker> StartAsync(
        string name,
        string connectionStringFile,
        DirectoryInfo directory,
        Agents agents,
        Uri vault,
        IBrokerStore? other = null
    )
    {
        var own = directory.CreateSubdirectory($"full-{Path.GetFileName(connectionStringFile)}");
        var broker = await RealBroker.StartAsync(own, agents, vault, "hvs.own", connectionStringFile);
        var reader = new NpgsqlConnection(await File.ReadAllTextAsync(connectionStringFile));
        return await StartAsync(name, own, broker, reader, other);
    }

    public Contender Asking(byte[][] requests) =>
        new(
            Name,
            [_broker.Address],
            [_broker.CpuTime],
            (connection, index) => connection.SendAsync(requests[index % requests.Length])
        );

    /// <summary>How much of it is in memory, in MiB.</summary>
    public double Memory() => _broker.Memory();

    /// <summary>Orders the revocation of an instance's leases, and waits until each is confirmed.</summary>
    public async Task<OrderFigures> OrderAsync(string admin, string instance)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = _broker.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", admin);
        // So that neither the connection nor the first look at the token counts.
        using (var first = await http.GetAsync("/v1/holds"))
        {
            first.EnsureSuccessStatusCode();
        }

        using var body = new StringContent(
            $$"""{"instance":"{{instance}}","reason":"bench"}""",
            Encoding.UTF8,
            new MediaTypeHeaderValue("application/json")
        );
        var fence = _other?.Position.Fence;
        var start = Stopwatch.GetTimestamp();
        var seen = SeenAsync(fence, start);
        using var answer = await http.PostAsync("/v1/revocations", body);
        var accepted = Stopwatch.GetElapsedTime(start);
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"The order was answered with {answer.StatusCode}: {text}");
        }

        using var json = JsonDocument.Parse(text);
        var id = json.RootElement.GetProperty("revocationId").GetString()!;
        var (leases, marked, confirmed) = await ConfirmedAsync(id);
        return new(leases, accepted, await seen, marked, confirmed);
    }

    /// <summary>
    /// Edits the policy that the broker watches, and waits until as many leases as the new version no longer allows are
    /// confirmed as revoked.
    /// </summary>
    public async Task<PolicyFigures> ChangePolicyAsync(string document, int expected)
    {
        await File.WriteAllTextAsync(RealBroker.Policy(_directory), document);
        await using var command = _reader.CreateCommand();
        command.CommandText = """
            SELECT v.applied_at, count(l.id), count(l.confirmed_at), coalesce(max(l.revocation_requested_at), 0),
              coalesce(max(l.confirmed_at), 0)
            FROM policy_version v LEFT JOIN lease l ON l.cause = 'policy-change'
            WHERE v.version = (SELECT max(version) FROM policy_version) GROUP BY v.applied_at
            """;
        using var limit = new CancellationTokenSource(DrainLimit);
        while (true)
        {
            await using (var row = await command.ExecuteReaderAsync(limit.Token))
            {
                if (await row.ReadAsync(limit.Token) && row.GetInt64(2) == expected)
                {
                    return new(
                        (int)row.GetInt64(1),
                        TimeSpan.FromMilliseconds(row.GetInt64(3) - row.GetInt64(0)),
                        TimeSpan.FromMilliseconds(row.GetInt64(4) - row.GetInt64(0))
                    );
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, limit.Token);
        }
    }

    /// <summary>
    /// Waits until as many leases that expired are confirmed as revoked, and returns how late each was, in milliseconds,
    /// shortest first.
    /// </summary>
    public async Task<IReadOnlyList<long>> DrainAsync(int expected)
    {
        await using var command = _reader.CreateCommand();
        command.CommandText =
            "SELECT confirmed_at - expires_at FROM lease WHERE state = 'revoked' AND cause = 'expiry' ORDER BY 1";
        using var limit = new CancellationTokenSource(DrainLimit);
        while (true)
        {
            var lags = new List<long>();
            await using (var reader = await command.ExecuteReaderAsync(CancellationToken.None))
            {
                while (await reader.ReadAsync(CancellationToken.None))
                {
                    lags.Add(reader.GetInt64(0));
                }
            }

            if (lags.Count >= expected)
            {
                return lags;
            }

            if (limit.IsCancellationRequested)
            {
                throw new InvalidOperationException(
                    $"{Name}: {lags.Count} of {expected} leases were revoked within {DrainLimit.TotalSeconds} s."
                );
            }

            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        (_other as IDisposable)?.Dispose();
        await _reader.DisposeAsync();
        await _broker.DisposeAsync();
    }

    private static async Task<FullBroker> StartAsync(
        string name,
        DirectoryInfo directory,
        Child broker,
        DbConnection reader,
        IBrokerStore? other
    )
    {
        var full = new FullBroker(name, directory, broker, reader, other);
        try
        {
            await reader.OpenAsync();
            // The policy is newer than what was filled in, and was tried on each of those leases when this is over.
            await broker.IsAtRestAsync(DrainLimit);
            return full;
        }
        catch
        {
            await full.DisposeAsync();
            throw;
        }
    }

    private async Task<TimeSpan?> SeenAsync(long? fence, long start)
    {
        if (_other is null)
        {
            return null;
        }

        while (_other.Position.Fence == fence)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        return Stopwatch.GetElapsedTime(start);
    }

    private async Task<(int Leases, TimeSpan Marked, TimeSpan Confirmed)> ConfirmedAsync(string order)
    {
        await using var command = _reader.CreateCommand();
        command.CommandText = """
            SELECT o.requested_at, o.enumerated_at, count(l.id), count(l.confirmed_at), coalesce(max(l.confirmed_at), 0)
            FROM revocation_order o
            LEFT JOIN revocation_reach r ON r.revocation = o.id
            LEFT JOIN lease l ON l.id = r.lease
            WHERE o.id = @id GROUP BY o.requested_at, o.enumerated_at
            """;
        var id = command.CreateParameter();
        (id.ParameterName, id.Value) = ("@id", order);
        command.Parameters.Add(id);
        using var limit = new CancellationTokenSource(DrainLimit);
        while (true)
        {
            await using (var row = await command.ExecuteReaderAsync(limit.Token))
            {
                if (await row.ReadAsync(limit.Token) && !row.IsDBNull(1) && row.GetInt64(2) == row.GetInt64(3))
                {
                    return (
                        (int)row.GetInt64(2),
                        TimeSpan.FromMilliseconds(row.GetInt64(1) - row.GetInt64(0)),
                        TimeSpan.FromMilliseconds(row.GetInt64(4) - row.GetInt64(0))
                    );
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, limit.Token);
        }
    }
}

/// <summary>What an order came to.</summary>
/// <param name="Leases">How many it reached.</param>
/// <param name="Accepted">Until it was answered.</param>
/// <param name="FenceSeen">Until another broker's position had it; null where there is no other.</param>
/// <param name="AllMarked">Until all that it reaches was marked, by the store's times.</param>
/// <param name="AllConfirmed">Until all of that was confirmed, by the store's times.</param>
internal readonly record struct OrderFigures(
    int Leases,
    TimeSpan Accepted,
    TimeSpan? FenceSeen,
    TimeSpan AllMarked,
    TimeSpan AllConfirmed
);

/// <summary>What a change of policy came to, by the store's times, from the moment that the version was applied.</summary>
/// <param name="Leases">How many it ended.</param>
/// <param name="AllMarked">Until the last of them was marked: a pass tries the newest lease first.</param>
/// <param name="AllConfirmed">Until each was confirmed.</param>
internal readonly record struct PolicyFigures(int Leases, TimeSpan AllMarked, TimeSpan AllConfirmed);
