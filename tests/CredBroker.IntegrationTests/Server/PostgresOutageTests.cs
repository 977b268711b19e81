using System.Net;
using CredBroker.Core.Audit;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// A broker whose PostgreSQL fails in a way in which servers fail, and comes back. Whichever it is: nothing is issued
/// without its commit, calls get their 503 and when to ask again, orders and holds are taken and carried out later, and the
/// broker goes on by itself.
/// </summary>
public sealed class PostgresOutageTests : IAsyncLifetime
{
    private const int MaxWaiting = 16;
    private readonly List<IAsyncDisposable> _more = [];
    private TestPostgres _postgres = null!;
    private PostgresSchema _schema = null!;
    private StallingProxy _proxy = null!;
    private TestBroker _broker = null!;
    private int _issued;

    public async ValueTask InitializeAsync()
    {
        _postgres = await TestPostgres.StartAsync();
        _schema = await PostgresSchema.MakeAsync(_postgres);
        _proxy = new(_postgres.Port);
        _schema.LeadTo(_proxy.Port);
    }

    public async ValueTask DisposeAsync()
    {
        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }

        foreach (var more in _more)
        {
            await more.DisposeAsync();
        }

        if (_proxy is not null)
        {
            await _proxy.DisposeAsync();
        }

        _schema?.Dispose();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }

    [Fact]
    public async Task Its_connections_are_lost_and_none_is_made()
    {
        await StartAsync();
        await FailsAsync(() => LeadToAsync(LoopbackPort.Next()), () => LeadToAsync(_postgres.Port));
    }

    [Fact]
    public async Task The_server_restarts()
    {
        await StartAsync();
        await FailsAsync(() => _postgres.StopAsync(), _postgres.StartAgainAsync);
    }

    [Fact]
    public async Task The_server_is_made_read_only()
    {
        await StartAsync();
        await FailsAsync(() => SetReadOnlyAsync(true), () => SetReadOnlyAsync(false));
    }

    [Fact]
    public async Task The_address_leads_to_a_standby()
    {
        await StartAsync();
        var standby = await StandbyAsync();
        await standby.ExecuteAsync("SELECT pg_wal_replay_pause()");
        // What was connected to the standby stays so when the address leads back, and would be told what is long over:
        // the broker itself has to leave it.
        await FailsAsync(
            () => LeadToAsync(standby.Port),
            () =>
            {
                _proxy.LeadNewTo(_postgres.Port);
                return Task.CompletedTask;
            }
        );
    }

    [Fact]
    public async Task A_standby_takes_the_place_of_a_primary_that_died()
    {
        await StartAsync();
        var standby = await StandbyAsync();
        await FailsAsync(
            async () =>
            {
                // What a standby never had is lost with the primary, and another matter.
                await Eventually.BecomesTrueAsync(
                    async () =>
                        await _postgres.CountAsync("pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()") == 1,
                    "the standby has all of it"
                );
                await _postgres.StopAsync();
                _proxy.LeadTo(standby.Port);
            },
            standby.PromoteAsync,
            standby
        );
    }

    [Fact]
    public async Task The_server_has_no_connection_left()
    {
        await StartAsync();
        await FailsAsync(
            async () =>
            {
                await _postgres.ExecuteAsync($"ALTER ROLE {_schema.Name} CONNECTION LIMIT 0");
                await _postgres.CutAsync(_schema.Name);
            },
            () => _postgres.ExecuteAsync($"ALTER ROLE {_schema.Name} CONNECTION LIMIT -1")
        );
    }

    [Fact]
    public async Task Everything_that_is_sent_to_the_server_is_swallowed()
    {
        await StartAsync();
        await FailsAsync(
            () =>
            {
                _proxy.Stall();
                return Task.CompletedTask;
            },
            () =>
            {
                _proxy.Flow();
                return Task.CompletedTask;
            }
        );
    }

    [Fact]
    public async Task Somebody_holds_a_lock_that_every_commit_needs()
    {
        await StartAsync();
        var holder = await _postgres.ConnectAsync();
        _more.Add(holder);
        await FailsAsync(
            async () =>
            {
                await using var command = holder.CreateCommand();
                command.CommandText = $"BEGIN; LOCK TABLE {_schema.Name}.store";
                await command.ExecuteNonQueryAsync();
            },
            async () => await holder.CloseAsync()
        );
    }

    [Fact]
    public async Task Every_commit_takes_longer_than_the_server_allows()
    {
        await StartAsync();
        await FailsAsync(
            async () =>
            {
                await _postgres.ExecuteAsync($"ALTER ROLE {_schema.Name} SET statement_timeout = '500ms'");
                await _schema.ExecuteAsync(
                    """
                    CREATE FUNCTION is_slow() RETURNS trigger LANGUAGE plpgsql AS
                      $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
                    CREATE TRIGGER is_slow BEFORE UPDATE ON store FOR EACH ROW EXECUTE FUNCTION is_slow();
                    """
                );
                await _postgres.CutAsync(_schema.Name);
            },
            async () =>
            {
                await _postgres.ExecuteAsync($"ALTER ROLE {_schema.Name} RESET statement_timeout");
                await _schema.ExecuteAsync("DROP TRIGGER is_slow ON store");
            }
        );
    }

    [Fact]
    public async Task The_servers_disk_is_full()
    {
        using var folder = new TemporaryFolder();
        await using var disk = await SmallDisk.MountAsync(folder.Path, megabytes: 16);
        Assert.SkipWhen(disk is null, "A small disk takes the right to mount one.");
        await ChildProcess.RunAsync("chown", "postgres:postgres", folder.Path);
        await _postgres.ExecuteAsync($"CREATE TABLESPACE small LOCATION '{folder.Path}'");
        await _postgres.ExecuteAsync(
            $"GRANT CREATE ON TABLESPACE small TO {_schema.Name}; ALTER ROLE {_schema.Name} SET default_tablespace = small"
        );
        await StartAsync();
        try
        {
            // What still fits on the pages that there are is taken.
            await FailsAsync(
                disk.FillAsync,
                () =>
                {
                    disk.Free();
                    return Task.CompletedTask;
                },
                takesNothing: false
            );
        }
        finally
        {
            // Before the disk is gone.
            await _broker.StopAsync();
            await _postgres.StopAsync();
        }
    }

    [Fact]
    public async Task A_server_that_is_only_slow_has_the_calls_for_which_there_is_room()
    {
        await StartAsync();
        _proxy.Delay = TimeSpan.FromMilliseconds(150);
        var statuses = await FloodAsync();
        Assert.Contains(HttpStatusCode.Created, statuses);
        Assert.Equal(statuses.Count(status => status == HttpStatusCode.Created), _broker.Vault.Live.Count);
        _proxy.Delay = TimeSpan.Zero;
        await IssuedAsync("i-2");
    }

    private async Task StartAsync() =>
        _broker = await TestBroker.StartAsync(
            new Dictionary<string, string?>
            {
                ["Storage:Provider"] = "postgres",
                ["Storage:ConnectionStringFile"] = _schema.ConnectionStringFile,
                ["Storage:MaxWaiting"] = $"{MaxWaiting}",
            }
        );

    /// <summary>Holds what is promised of every failure.</summary>
    /// <param name="fail">Brings it about.</param>
    /// <param name="recover">Ends it.</param>
    /// <param name="after">Where the store is then, if not where it was.</param>
    /// <param name="takesNothing">Whether no commit at all goes through meanwhile.</param>
    private async Task FailsAsync(
        Func<Task> fail,
        Func<Task> recover,
        TestPostgres? after = null,
        bool takesNothing = true
    )
    {
        await IssuedAsync("i-1");
        await fail();
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                using var tried = await ExchangeAsync("i-1");
                _issued += tried.IsSuccessStatusCode ? 1 : 0;
                return tried.StatusCode == HttpStatusCode.ServiceUnavailable;
            },
            "an exchange is refused"
        );
        Assert.All(await FloodAsync(), status => Assert.Equal(HttpStatusCode.ServiceUnavailable, status));
        Assert.Equal(_issued, _broker.Vault.Live.Count);

        using var ordered = await PostAsync("/v1/revocations", """{"agent":"triage","reason":"incident"}""");
        var order = await ordered.ReadAsync(HttpStatusCode.Accepted);
        using var held = await PostAsync("/v1/holds", """{"instance":"i-held","reason":"incident","allowNone":true}""");
        var hold = await held.ReadAsync(HttpStatusCode.Created);
        if (takesNothing)
        {
            Assert.True(order.GetProperty("recordMissing").GetBoolean());
            Assert.True(hold.GetProperty("recordMissing").GetBoolean());
        }

        await recover();
        // By its own word: a secret whose activation nobody answered is dead at Vault before the order reaches its row.
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                using var read = await _broker.SendAsync(
                    HttpMethod.Get,
                    $"/v1/revocations/{order.GetProperty("revocationId").GetString()}",
                    _broker.Person("admin")
                );
                return read.StatusCode == HttpStatusCode.OK
                    && (await read.ReadAsync(HttpStatusCode.OK)).GetProperty("complete").GetBoolean();
            },
            "the order that was given meanwhile is carried out"
        );
        Assert.Empty(_broker.Vault.Live);
        await IssuedAsync("i-2");
        using (var refused = await ExchangeAsync("i-held"))
        {
            await refused.ReadProblemAsync("CB2017");
        }

        Assert.Single(_broker.Vault.Live);
        Assert.Equal(1, await (after ?? _postgres).CountAsync($"{_schema.Name}.lease WHERE state = 'active'"));
        using var export = await _broker.SendAsync(HttpMethod.Get, "/v1/audit/export", _broker.Person("auditor"));
        await using var log = await export.Content.ReadAsStreamAsync();
        var verified = await AuditVerifier.VerifyAsync(log, [], default);
        Assert.Null(verified.Fault);
        Assert.True(verified.IsWhole, verified.Range);
    }

    /// <summary>More calls at once than may wait. Whoever is not served is told when to ask again.</summary>
    private async Task<IReadOnlyList<HttpStatusCode>> FloodAsync() =>
        await Task.WhenAll(
            Enumerable
                .Range(0, 4 * MaxWaiting)
                .Select(async i =>
                {
                    using var answer = await ExchangeAsync($"i-{i}").WaitAsync(Patience.Limit);
                    if (answer.StatusCode != HttpStatusCode.Created)
                    {
                        var problem = await answer.ReadAsync(HttpStatusCode.ServiceUnavailable);
                        Assert.True(problem.TryGetProperty("retryAfter", out _), problem.ToString());
                        Assert.NotNull(answer.Headers.RetryAfter);
                    }

                    return answer.StatusCode;
                })
        );

    private Task IssuedAsync(string instance) =>
        Eventually.BecomesTrueAsync(
            async () =>
            {
                using var issued = await ExchangeAsync(instance);
                _issued += issued.IsSuccessStatusCode ? 1 : 0;
                return issued.StatusCode == HttpStatusCode.Created;
            },
            "it is issued"
        );

    private Task<HttpResponseMessage> ExchangeAsync(string instance) =>
        _broker.SendAsync(HttpMethod.Post, "/v1/credentials", _broker.Agent(instance), Api.Exchange());

    private Task<HttpResponseMessage> PostAsync(string path, string body) =>
        _broker.SendAsync(HttpMethod.Post, path, _broker.Person("admin"), Api.Json(body));

    private Task LeadToAsync(int port)
    {
        _proxy.LeadTo(port);
        return Task.CompletedTask;
    }

    private async Task<TestPostgres> StandbyAsync()
    {
        var standby = await _postgres.StartStandbyAsync(_postgres.Port);
        _more.Add(standby);
        return standby;
    }

    private async Task SetReadOnlyAsync(bool isReadOnly)
    {
        await _postgres.ExecuteAsync(
            isReadOnly ? "ALTER SYSTEM SET default_transaction_read_only = on" : "ALTER SYSTEM RESET ALL"
        );
        await _postgres.ExecuteAsync("SELECT pg_reload_conf()");
    }
}
