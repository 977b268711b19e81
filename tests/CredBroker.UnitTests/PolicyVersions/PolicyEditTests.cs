using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Broker;
using CredBroker.UnitTests.Policy;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.PolicyVersions;

/// <summary>Versions by a person's hand, and what a file is worth beside them.</summary>
public sealed class PolicyEditTests : IDisposable
{
    private const string Edited = "# edited\n";
    private static readonly AuditActor Admin = AuditActor.Person("https://people.example", "admin-1");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cb-edit-");
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SqliteBrokerStore _store;
    private readonly Source _source = new() { Text = Samples.Text };
    private readonly Errors _log = new();

    public PolicyEditTests() =>
        _store = SqliteBrokerStore.Open(
            new StorageOptions { SqliteFile = Path.Combine(_folder.FullName, "broker.db") },
            _time,
            NullLogger<SqliteBrokerStore>.Instance
        );

    public void Dispose()
    {
        _store.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Where_policy_comes_from_a_file_nothing_is_applied_over_the_API()
    {
        using var control = await StartAsync(PolicySourceKind.File);

        var refusal = Refusal(await ApplyAsync(control, Samples.Text + Edited));

        Assert.Equal(RefusalCode.PolicyFromFile, refusal.Code);
        Assert.Contains("Policy:File", refusal.Detail, StringComparison.Ordinal);
        Assert.Contains("Policy:Source", refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(1, _store.Position.PolicyVersion);
    }

    [Fact]
    public async Task A_file_seeds_an_empty_store_and_its_later_edits_are_ignored_which_is_said_once()
    {
        using var control = await StartAsync(PolicySourceKind.Api);
        Assert.Equal((1, null), (control.Current!.Version, control.RefusedEdit));
        _source.Text = Samples.Text + Edited;

        Assert.False(await control.RefreshAsync(CancellationToken.None));
        Assert.False(await control.RefreshAsync(CancellationToken.None));

        Assert.Equal(1, _store.Position.PolicyVersion);
        Assert.Equal(RefusedEdit.Ignored, control.RefusedEdit!.Reason);
        Assert.Contains("credbroker policy apply", Assert.Single(control.LastFaults), StringComparison.Ordinal);
        Assert.Single(_log.Told);

        // Applied by a person, it is no edit that nobody has applied any more; nor is what the store was seeded with.
        Assert.Equal(2, Active(await ApplyAsync(control, Samples.Text + Edited)).Version);
        Assert.False(await control.RefreshAsync(CancellationToken.None));
        Assert.Null(control.RefusedEdit);
        _source.Text = Samples.Text;
        Assert.False(await control.RefreshAsync(CancellationToken.None));
        Assert.Equal((2, null), (control.Current!.Version, control.RefusedEdit));
    }

    [Fact]
    public async Task A_store_without_a_version_takes_the_first_one_from_who_has_seen_that_there_is_none()
    {
        _source.Text = null;
        using var control = Open(PolicySourceKind.Api);
        Assert.False(await control.StartAsync(CancellationToken.None));

        var stale = Refusal(await ApplyAsync(control, Samples.Text, onto: "0123"));
        var first = Active(await ApplyAsync(control, Samples.Text, onto: null));

        Assert.Equal((RefusalCode.PolicyNotAsSeen, 1), (stale.Code, first.Version));
        Assert.Equal(
            RefusalCode.PolicyNotAsSeen,
            Refusal(await ApplyAsync(control, Samples.Text + Edited, onto: null)).Code
        );
    }

    [Fact]
    public async Task What_a_person_applies_is_on_record_with_them_in_one_commit()
    {
        using var control = await StartAsync(PolicySourceKind.Api);
        _time.Advance(TimeSpan.FromMinutes(1));
        var edits = 0;
        control.Edited += () => edits++;

        var active = Active(await ApplyAsync(control, Samples.Text + Edited));

        Assert.Equal((2, Admin, 1), (active.Version, active.Origin.Author, edits));
        var stored = (await _store.Policies.FindNewestAsync(CancellationToken.None))!;
        Assert.Equal((2, Admin, _time.GetUtcNow()), (stored.Version, stored.Origin.Author, stored.AppliedAt));
        var told = (await EventsAsync(PolicyApplied.TypeName))[^1];
        Assert.Equal(("person", "admin-1"), (Text(told, "actor", "kind"), Text(told, "actor", "subject")));
        Assert.Equal("https://people.example", Text(told, "actor", "issuer"));
        Assert.Equal(1, told.GetProperty("details").GetProperty("parent").GetInt64());
        Assert.Equal("trace-1", told.GetProperty("trace").GetString());
    }

    [Fact]
    public async Task Who_has_not_seen_the_version_in_force_changes_nothing()
    {
        using var control = await StartAsync(PolicySourceKind.Api);
        var seen = control.Current!.Set.Hash;
        await ApplyAsync(control, Samples.Text + Edited);

        var refusal = Refusal(await ApplyAsync(control, Samples.Text + "# another\n", onto: seen));

        Assert.Equal((RefusalCode.PolicyNotAsSeen, 2), (refusal.Code, _store.Position.PolicyVersion));
    }

    [Fact]
    public async Task All_faults_come_at_once_with_line_and_column_and_nothing_changes()
    {
        using var control = await StartAsync(PolicySourceKind.Api);

        var faulty = Assert.IsType<PolicyEditOutcome.Faulty>(
            await ApplyAsync(control, Samples.Edited(("maxTtl: 15m", "maxTtl: soon"), ("impact: low", "impact: tiny")))
        );

        Assert.Equal(RefusalCode.PolicyFaulty, faulty.Refusal.Code);
        Assert.True(faulty.Faults.Count >= 2);
        Assert.All(faulty.Faults, fault => Assert.Matches("^line [0-9]+, column [0-9]+: ", fault.ToString()));
        Assert.Equal((1, 1), (_store.Position.PolicyVersion, control.Current!.Version));
    }

    [Fact]
    public async Task A_reply_that_was_lost_can_be_asked_for_again_and_makes_no_second_version()
    {
        using var control = await StartAsync(PolicySourceKind.Api);
        var seen = control.Current!.Set.Hash;
        await ApplyAsync(control, Samples.Text + Edited, onto: seen);

        var again = Active(await ApplyAsync(control, Samples.Text + Edited, onto: seen));

        Assert.Equal((2, 2), (again.Version, _store.Position.PolicyVersion));
    }

    [Fact]
    public async Task Of_edits_at_the_same_time_upon_one_version_one_is_applied()
    {
        using var one = await StartAsync(PolicySourceKind.Api);
        using var other = await StartAsync(PolicySourceKind.Api);
        var seen = one.Current!.Set.Hash;

        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(i =>
                    Task.Run(async () =>
                        await ApplyAsync(i % 2 == 0 ? one : other, $"{Samples.Text}# {i}\n", onto: seen)
                    )
                )
        );

        Assert.Single(outcomes, outcome => outcome is PolicyEditOutcome.InForce);
        Assert.Equal(2, _store.Position.PolicyVersion);
    }

    [Fact]
    public async Task An_earlier_content_comes_back_by_a_rollback_alone()
    {
        using var control = await StartAsync(PolicySourceKind.Api);
        await ApplyAsync(control, Samples.Text + Edited);

        var refusal = Refusal(await ApplyAsync(control, Samples.Text));

        Assert.Equal(RefusalCode.PolicyWasVersionBefore, refusal.Code);
        Assert.Contains("credbroker policy rollback 1", refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(2, _store.Position.PolicyVersion);
    }

    [Theory]
    [InlineData(PolicySourceKind.File)]
    [InlineData(PolicySourceKind.Api)]
    public async Task A_rollback_is_a_new_version_with_its_author_its_reason_and_what_it_restores(PolicySourceKind kind)
    {
        using var control = await StartAsync(kind);
        var first = control.Current!.Set.Hash;
        await SecondVersionAsync(control, kind);

        var back = Active(await RollBackAsync(control, 1));

        Assert.Equal((3, first), (back.Version, back.Set.Hash));
        var versions = await _store.Policies.ListAsync(long.MaxValue, 10, CancellationToken.None);
        Assert.Equal([first, versions[1].Hash, first], versions.Select(version => version.Hash));
        Assert.Equal(
            new PolicyOrigin
            {
                Author = Admin,
                Restores = 1,
                Reason = "it broke billing",
            },
            versions[0].Origin
        );
        Assert.Null(versions[1].Origin.Restores);
        var details = (await EventsAsync(PolicyApplied.TypeName))[^1].GetProperty("details");
        Assert.Equal(
            (3, 2, 1, "it broke billing"),
            (
                details.GetProperty("version").GetInt64(),
                details.GetProperty("parent").GetInt64(),
                details.GetProperty("restores").GetInt64(),
                details.GetProperty("reason").GetString()
            )
        );
    }

    [Theory]
    [InlineData(PolicySourceKind.File)]
    [InlineData(PolicySourceKind.Api)]
    public async Task A_stale_file_undoes_no_rollback_at_once_after_a_restart_or_at_another_broker(
        PolicySourceKind kind
    )
    {
        using var control = await StartAsync(kind);
        await SecondVersionAsync(control, kind);
        // The file holds what was taken back, here and at the other broker, which was running all along.
        _source.Text = Samples.Text + Edited;
        using var other = await StartAsync(kind);
        await RollBackAsync(control, 1);

        Assert.False(await control.RefreshAsync(CancellationToken.None));
        Assert.True(await other.RefreshAsync(CancellationToken.None));
        Assert.False(await other.RefreshAsync(CancellationToken.None));
        using var restarted = await StartAsync(kind);

        Assert.Equal(
            (3, 3, 3, 3L),
            (
                control.Current!.Version,
                other.Current!.Version,
                restarted.Current!.Version,
                _store.Position.PolicyVersion
            )
        );
        if (kind == PolicySourceKind.File)
        {
            Assert.Equal(RefusedEdit.WasVersionBefore, restarted.RefusedEdit!.Reason);

            // What is new goes on from there.
            _source.Text = Samples.Text + "# mended\n";
            Assert.True(await restarted.RefreshAsync(CancellationToken.None));
            Assert.Equal((4, null), (restarted.Current!.Version, restarted.RefusedEdit));
        }
    }

    [Fact]
    public async Task A_rollback_to_no_version_to_what_is_in_force_or_unseen_changes_nothing()
    {
        using var control = await StartAsync(PolicySourceKind.File);
        var first = control.Current!.Set.Hash;
        await SecondVersionAsync(control, PolicySourceKind.File);

        Assert.Equal(RefusalCode.PolicyVersionNotFound, Refusal(await RollBackAsync(control, 9)).Code);
        Assert.Equal(RefusalCode.PolicyVersionNotFound, Refusal(await RollBackAsync(control, -1)).Code);
        Assert.Equal(RefusalCode.PolicyNotAsSeen, Refusal(await RollBackAsync(control, 1, onto: first)).Code);
        Assert.Equal(2, Active(await RollBackAsync(control, 2)).Version);
        Assert.Equal(2, _store.Position.PolicyVersion);
    }

    [Fact]
    public async Task A_broker_that_has_not_heard_of_the_newest_version_goes_by_the_store()
    {
        using var control = await StartAsync(PolicySourceKind.Api);
        var first = control.Current!.Set.Hash;
        var deaf = new LosingStore<StateChange.PolicyApplied>(_store) { Heard = _store.Position };
        using var other = new PolicyControl(_source, deaf, _log, PolicySourceKind.Api);
        Assert.True(await other.StartAsync(CancellationToken.None));
        var second = Active(await ApplyAsync(control, Samples.Text + Edited)).Set.Hash;

        // Version 1 is what this broker decides by, and is not in force.
        Assert.Equal(1, other.Current!.Version);
        Assert.Equal(RefusalCode.PolicyNotAsSeen, Refusal(await RollBackAsync(other, 1, onto: first)).Code);
        Assert.Equal(2, other.Current!.Version);
        Assert.Equal(3, Active(await RollBackAsync(other, 1, onto: second)).Version);
        Assert.Equal(3, _store.Position.PolicyVersion);
    }

    [Fact]
    public async Task A_newest_version_that_is_damaged_can_be_rolled_back()
    {
        using var control = await StartAsync(PolicySourceKind.Api);
        var second = Active(await ApplyAsync(control, Samples.Text + Edited)).Set.Hash;
        using (var connection = new SqliteConnection($"Data Source={_folder.FullName}/broker.db"))
        {
            await connection.OpenAsync();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE policy_version SET document = '{' WHERE version = 2";
            Assert.Equal(1, await command.ExecuteNonQueryAsync());
        }

        using var restarted = Open(PolicySourceKind.Api);
        Assert.False(await restarted.StartAsync(CancellationToken.None));
        Assert.Equal(RefusedEdit.StoredNotAccepted, restarted.RefusedEdit!.Reason);
        Assert.Equal(3, Active(await RollBackAsync(restarted, 1, onto: second)).Version);
    }

    [Fact]
    public async Task A_refused_edit_says_since_when_and_is_logged_once_however_often_it_is_looked_at()
    {
        using var control = await StartAsync(PolicySourceKind.File);
        _time.Advance(TimeSpan.FromMinutes(5));
        await _store.CommitAsync(Beat(), CancellationToken.None);
        var since = _store.Position.UtcNow;
        _source.Text = Samples.Edited(("maxTtl: 15m", "maxTtl: soon"));
        await control.RefreshAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromMinutes(5));
        await _store.CommitAsync(Beat(), CancellationToken.None);
        await control.RefreshAsync(CancellationToken.None);

        var refused = control.RefusedEdit!;
        Assert.Equal((RefusedEdit.HasFaults, since), (refused.Reason, refused.Since));
        Assert.Matches("^the policy file has 1 fault, the first at line [0-9]+, column [0-9]+$", refused.Outline);
        var told = Assert.Single(_log.Told);
        Assert.Contains("version 1 stays", told, StringComparison.Ordinal);
        Assert.Contains("maxTtl", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PolicySourceKind.File)]
    [InlineData(PolicySourceKind.Api)]
    public async Task A_stored_version_that_is_not_understood_is_told_once_and_a_good_one_can_be_applied(
        PolicySourceKind kind
    )
    {
        var bad = Samples.Document("apiVersion: credbroker/v0");
        await _store.CommitAsync(
            new StateChange.PolicyApplied
            {
                Expected = 0,
                Hash = PolicyHash.Of(bad),
                Document = bad,
                Event = Beat().Event,
            },
            CancellationToken.None
        );
        _source.Text = bad.Text;
        using var control = Open(kind);
        Assert.False(await control.StartAsync(CancellationToken.None));
        var told = _log.Told.Count;
        Assert.False(await control.RefreshAsync(CancellationToken.None));
        Assert.False(await control.RefreshAsync(CancellationToken.None));

        Assert.Equal((told, true), (_log.Told.Count, control.LastFaults.Count > 0));
        if (kind == PolicySourceKind.Api)
        {
            Assert.Equal(RefusedEdit.StoredNotAccepted, control.RefusedEdit!.Reason);
            var mended = Active(await ApplyAsync(control, Samples.Text, onto: PolicyHash.Of(bad)));
            Assert.Equal((2, 2L), (mended.Version, control.Current!.Version));
        }
    }

    private static StateChange.EventRecorded Beat() =>
        new()
        {
            Event = new()
            {
                What = new AdminAction { Call = "test" },
                Actor = Admin,
            },
        };

    private async Task SecondVersionAsync(PolicyControl control, PolicySourceKind kind)
    {
        if (kind == PolicySourceKind.Api)
        {
            Active(await ApplyAsync(control, Samples.Text + Edited));
            return;
        }

        _source.Text = Samples.Text + Edited;
        Assert.True(await control.RefreshAsync(CancellationToken.None));
    }

    private PolicyControl Open(PolicySourceKind kind) => new(_source, _store, _log, kind);

    private async Task<PolicyControl> StartAsync(PolicySourceKind kind)
    {
        var control = Open(kind);
        Assert.True(await control.StartAsync(CancellationToken.None));
        return control;
    }

    private static Task<PolicyEditOutcome> ApplyAsync(PolicyControl control, string text) =>
        ApplyAsync(control, text, control.Current?.Set.Hash);

    private static async Task<PolicyEditOutcome> ApplyAsync(PolicyControl control, string text, string? onto) =>
        await control.EditAsync(
            new PolicyEdit.Apply
            {
                Document = Samples.Document(text),
                Author = Admin,
                Onto = onto,
                TraceId = "trace-1",
            },
            CancellationToken.None
        );

    private static async Task<PolicyEditOutcome> RollBackAsync(
        PolicyControl control,
        long version,
        string? onto = null
    ) =>
        await control.EditAsync(
            new PolicyEdit.Rollback
            {
                Version = version,
                Reason = "it broke billing",
                Author = Admin,
                Onto = onto ?? control.Current!.Set.Hash,
            },
            CancellationToken.None
        );

    private static ActivePolicy Active(PolicyEditOutcome outcome) =>
        Assert.IsType<PolicyEditOutcome.InForce>(outcome).Active;

    private static Refusal Refusal(PolicyEditOutcome outcome) =>
        Assert.IsType<PolicyEditOutcome.Refused>(outcome).Refusal;

    private static string? Text(System.Text.Json.JsonElement json, string member, string inner) =>
        json.GetProperty(member).GetProperty(inner).GetString();

    private async Task<List<System.Text.Json.JsonElement>> EventsAsync(string type)
    {
        var events = new List<System.Text.Json.JsonElement>();
        await foreach (
            var record in ((IAuditLog)_store).ReadAsync(
                DateTimeOffset.MinValue,
                DateTimeOffset.MaxValue,
                null,
                CancellationToken.None
            )
        )
        {
            var json = Samples.Json(System.Text.Encoding.UTF8.GetString(record.Bytes.Span));
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

        public ValueTask<PolicyDocument?> ReadAsync(CancellationToken cancellationToken) =>
            new(Text is null ? null : Samples.Document(Text));

        public Task WaitForChangeAsync(CancellationToken cancellationToken) =>
            Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }

    private sealed class Errors : ILogger<PolicyControl>
    {
        private readonly Lock _gate = new();
        private readonly List<string> _errors = [];

        public IReadOnlyList<string> Told
        {
            get
            {
                lock (_gate)
                {
                    return [.. _errors];
                }
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (logLevel >= LogLevel.Error)
            {
                lock (_gate)
                {
                    _errors.Add(formatter(state, exception));
                }
            }
        }
    }
}
