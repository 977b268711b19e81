using System.Text;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Audit;
using CredBroker.UnitTests.Policy;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.PolicyVersions;

public sealed class PolicyControlTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cb-control-");
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SqliteBrokerStore _store;
    private readonly Source _source = new();
    private readonly PolicyControl _control;

    public PolicyControlTests()
    {
        _store = SqliteBrokerStore.Open(
            new StorageOptions { SqliteFile = Path.Combine(_folder.FullName, "broker.db") },
            _time,
            NullLogger<SqliteBrokerStore>.Instance
        );
        _control = Open();
    }

    public void Dispose()
    {
        _control.Dispose();
        _store.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Without_a_document_nothing_is_in_force()
    {
        Assert.False(await _control.StartAsync(CancellationToken.None));

        Assert.Null(_control.Current);
        Assert.Equal(["there is no policy document yet"], _control.LastFaults);
    }

    [Fact]
    public async Task The_first_document_becomes_version_one_with_its_event()
    {
        _source.Text = Samples.Text;

        Assert.True(await _control.StartAsync(CancellationToken.None));

        Assert.Equal(1, _control.Current!.Version);
        Assert.Equal(_time.GetUtcNow(), _control.Current.AppliedAt);
        Assert.Equal(
            PolicyEffect.Allow,
            _control.Current.Set.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling).Effect
        );
        var details = Assert.Single(await EventsAsync(PolicyApplied.TypeName)).GetProperty("details");
        Assert.Equal(
            (1, _control.Current.Set.Hash, "sample.policy.yaml"),
            (
                details.GetProperty("version").GetInt32(),
                details.GetProperty("hash").GetString(),
                details.GetProperty("name").GetString()
            )
        );
    }

    [Fact]
    public async Task The_same_content_again_is_no_new_version()
    {
        _source.Text = Samples.Text;
        await _control.StartAsync(CancellationToken.None);

        Assert.False(await _control.RefreshAsync(CancellationToken.None));
        Assert.Equal(1, _store.Position.PolicyVersion);
    }

    [Fact]
    public async Task A_bad_edit_keeps_the_last_good_version_and_is_recorded_once()
    {
        _source.Text = Samples.Text;
        await _control.StartAsync(CancellationToken.None);
        _source.Text = Samples.Edited(("maxTtl: 15m", "maxTtl: soon"));

        Assert.False(await _control.RefreshAsync(CancellationToken.None));
        Assert.False(await _control.RefreshAsync(CancellationToken.None));

        Assert.Equal(1, _control.Current!.Version);
        Assert.StartsWith("line ", _control.LastFaults[0], StringComparison.Ordinal);
        var refused = Assert.Single(await EventsAsync(PolicyRefused.TypeName));
        Assert.Contains(
            "maxTtl",
            refused.GetProperty("details").GetProperty("faults")[0].GetString(),
            StringComparison.Ordinal
        );

        _source.Text = Samples.Text;
        Assert.False(await _control.RefreshAsync(CancellationToken.None));
        Assert.Empty(_control.LastFaults);
    }

    [Fact]
    public async Task A_good_edit_is_the_next_version()
    {
        _source.Text = Samples.Text;
        await _control.StartAsync(CancellationToken.None);
        _source.Text = Samples.Text + "# edited\n";

        Assert.True(await _control.RefreshAsync(CancellationToken.None));

        Assert.Equal(2, _control.Current!.Version);
    }

    [Fact]
    public async Task A_stale_file_does_not_roll_policy_back()
    {
        _source.Text = Samples.Text;
        await _control.StartAsync(CancellationToken.None);
        _source.Text = Samples.Text + "# edited\n";
        await _control.RefreshAsync(CancellationToken.None);
        _source.Text = Samples.Text;

        Assert.False(await _control.RefreshAsync(CancellationToken.None));
        Assert.False(await _control.RefreshAsync(CancellationToken.None));

        Assert.Equal(2, _control.Current!.Version);
        Assert.Contains("was an earlier version", Assert.Single(_control.LastFaults), StringComparison.Ordinal);
        Assert.Equal(
            "was-version-before",
            Assert.Single(await EventsAsync(PolicyRefused.TypeName)).GetProperty("reason").GetString()
        );
    }

    [Fact]
    public async Task A_restart_with_a_stale_file_goes_on_with_the_newest_stored_version()
    {
        _source.Text = Samples.Text;
        await _control.StartAsync(CancellationToken.None);
        _source.Text = Samples.Text + "# edited\n";
        await _control.RefreshAsync(CancellationToken.None);
        _source.Text = Samples.Text;
        using var restarted = Open();

        Assert.True(await restarted.StartAsync(CancellationToken.None));

        Assert.Equal(2, restarted.Current!.Version);
        Assert.Equal(_control.Current!.Set.Hash, restarted.Current.Set.Hash);
    }

    [Fact]
    public async Task A_restart_without_a_readable_file_goes_on_too()
    {
        _source.Text = Samples.Text;
        await _control.StartAsync(CancellationToken.None);
        _source.Fault = new IOException("the disk is gone");
        using var restarted = Open();

        Assert.True(await restarted.StartAsync(CancellationToken.None));

        Assert.Equal(["the policy cannot be read: the disk is gone"], restarted.LastFaults);
    }

    [Fact]
    public async Task A_version_that_another_broker_applied_is_taken_up()
    {
        _source.Text = Samples.Text;
        await _control.StartAsync(CancellationToken.None);
        using var other = Open();
        await other.StartAsync(CancellationToken.None);
        _source.Text = Samples.Text + "# edited\n";
        Assert.True(await other.RefreshAsync(CancellationToken.None));

        Assert.True(await _control.RefreshAsync(CancellationToken.None));

        Assert.Equal((2, 2), (_control.Current!.Version, other.Current!.Version));
        Assert.Equal(2, (await EventsAsync(PolicyApplied.TypeName)).Count);
    }

    [Fact]
    public async Task A_stored_version_that_no_longer_compiles_puts_nothing_in_force_until_a_good_one_comes()
    {
        var bad = Samples.Document("apiVersion: credbroker/v0");
        await _store.CommitAsync(
            new StateChange.PolicyApplied
            {
                Expected = 0,
                Hash = "hash",
                Document = bad,
                Event = new() { What = new TestFact(PolicyApplied.TypeName), Actor = AuditActor.Broker("test") },
            },
            CancellationToken.None
        );

        Assert.False(await _control.StartAsync(CancellationToken.None));
        _source.Text = Samples.Text;
        Assert.True(await _control.RefreshAsync(CancellationToken.None));

        Assert.Equal(2, _control.Current!.Version);
    }

    [Fact]
    public async Task Refreshes_at_the_same_time_apply_a_document_once()
    {
        _source.Text = Samples.Text;

        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(_ => Task.Run(async () => await _control.RefreshAsync(CancellationToken.None)))
        );

        Assert.Single(results, applied => applied);
        Assert.Single(await EventsAsync(PolicyApplied.TypeName));
    }

    private PolicyControl Open() => new(_source, _store, NullLogger<PolicyControl>.Instance);

    private async Task<List<JsonElement>> EventsAsync(string type)
    {
        var events = new List<JsonElement>();
        await foreach (
            var record in ((IAuditLog)_store).ReadAsync(
                DateTimeOffset.MinValue,
                DateTimeOffset.MaxValue,
                null,
                CancellationToken.None
            )
        )
        {
            var json = Samples.Json(Encoding.UTF8.GetString(record.Bytes.Span));
            if (json.GetProperty("type").GetString() == type)
            {
                events.Add(json);
            }
        }

        return events;
    }

    private sealed class Source : IPolicySource
    {
        public string? Text { get; set; }

        public IOException? Fault { get; set; }

        public ValueTask<PolicyDocument?> ReadAsync(CancellationToken cancellationToken) =>
            Fault is not null ? throw Fault : new(Text is null ? null : Samples.Document(Text));

        public Task WaitForChangeAsync(CancellationToken cancellationToken) =>
            Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }
}
