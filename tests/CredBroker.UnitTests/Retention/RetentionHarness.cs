using System.IO.Pipelines;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Retention;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace CredBroker.UnitTests.Retention;

/// <summary>A broker whose audit log is archived, a folder for the archives, and a look at both.</summary>
internal sealed class RetentionHarness : IAsyncDisposable
{
    public static readonly TimeSpan KeepFor = TimeSpan.FromDays(3);

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _said = [];

    public string Folder => _folder.Path;

    public LosingStore<StateChange.ArchivedDeleted> Store { get; private set; } = null!;

    public BrokerHarness Broker { get; private set; } = null!;

    public AuditRetention Retention { get; private set; } = null!;

    /// <summary>What it logged.</summary>
    public string Said => string.Join('\n', _said);

    public static async Task<RetentionHarness> StartAsync()
    {
        var harness = new RetentionHarness();
        harness.Broker = await BrokerHarness.StartAsync(wrapStore: store => harness.Store = new(store));
        harness.Retention = harness.With(new() { KeepFor = KeepFor, ArchiveTo = harness.Folder });
        return harness;
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        _folder.Dispose();
    }

    public AuditRetention With(
        AuditOptions options,
        IAuditLog? log = null,
        Action<string>? flush = null,
        int maxRecords = 100_000
    ) =>
        new(Broker.Store, log ?? Broker.Audit, options, new Lines(_said))
        {
            FlushFolder = flush ?? OwnFolder.Flush,
            MaxRecords = maxRecords,
        };

    public string[] Archives() => [.. Directory.GetFiles(Folder, "*.jsonl").Order(StringComparer.Ordinal)];

    public async Task WriteAsync(int count, string type = "test.event")
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, count)
                .Select(_ =>
                    Broker.Store.CommitAsync(StoreSamples.Recorded(StoreSamples.Event(type)), default).AsTask()
                )
        );
        Broker.Time.Advance(TimeSpan.FromSeconds(1));
    }

    public Task<byte[]> ExportAsync() => ExportAsync(Broker.Audit);

    public static StateChange.AuditArchived Archived(AuditArchive archive) =>
        new()
        {
            Archive = archive,
            Event = new()
            {
                What = new AuditArchived { Archive = archive },
                Actor = AuditActor.Broker("retention"),
            },
        };

    public static async Task<byte[]> ExportAsync(IAuditLog log, DateTimeOffset? from = null, DateTimeOffset? to = null)
    {
        using var file = new MemoryStream();
        var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        await new AuditExport(log).WriteAsync(pipe, from, to, null, default);
        await pipe.CompleteAsync();
        return file.ToArray();
    }

    public static async Task<AuditVerification> JudgeAsync(byte[] file, DateTimeOffset? from = null) =>
        await AuditVerifier.VerifyAsync(new MemoryStream(file), [], default, from);

    public static async Task<AuditVerification> VerifyAsync(byte[] file)
    {
        var verification = await JudgeAsync(file);
        Assert.Null(verification.Fault);
        return verification;
    }

    public static string? Type(System.Text.Json.JsonElement record) => record.GetProperty("type").GetString();

    public Task<long> CountAsync() => Task.FromResult(Execute("SELECT count(*) FROM audit_record"));

    public long Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Broker.StoreFile};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() as long? ?? 0;
    }

    private sealed class Lines(List<string> lines) : ILogger<AuditRetention>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => lines.Add($"{logLevel}: {formatter(state, exception)}");
    }
}
