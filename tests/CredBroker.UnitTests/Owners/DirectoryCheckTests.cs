using CredBroker.Core.Audit.Events;
using CredBroker.Core.Owners;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Identity.Directories;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Owners;

/// <summary>Owners whom their directory does not know any more, from a server that speaks SCIM to the store.</summary>
public sealed class DirectoryCheckTests : IAsyncLifetime
{
    private const string Issuer = "https://people.example";
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(15);
    private readonly string _token = Path.GetTempFileName();
    private BrokerHarness _broker = null!;
    private ScimServer _scim = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_token, $"{ScimServer.Token}\n");
        _scim = await ScimServer.StartAsync("owner-1", "owner-2", "owner-3", "owner-4");
        _broker = await BrokerHarness.StartAsync();
        await _broker.ApplyAsync(Policy());
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _scim.DisposeAsync();
        File.Delete(_token);
    }

    [Theory]
    [InlineData("externalId", false)]
    [InlineData("externalId", true)]
    [InlineData("id", false)]
    [InlineData("id", true)]
    public async Task An_owner_who_left_the_directory_is_retired_within_the_period(string attribute, bool isInactive)
    {
        var check = Check(attribute);
        await check.RunAsync(default);
        Assert.Equal(4, _scim.Asked.Count);
        Assert.Empty(await _broker.Store.Owners.ListRetiredAsync(default));

        if (isInactive)
        {
            _scim.Users["owner-1"] = false;
        }
        else
        {
            _scim.Users.Remove("owner-1", out _);
        }

        await check.RunAsync(default);
        Assert.Equal(4, _scim.Asked.Count);
        _broker.Time.Advance(Every);
        await check.RunAsync(default);

        var gone = Assert.Single(await _broker.Store.Owners.ListRetiredAsync(default));
        Assert.Equal(
            (Issuer, "owner-1", "broker:directory", isInactive ? "directory: not active" : "directory: not known"),
            (gone.Issuer, gone.Subject, gone.RetiredBy, gone.Reason)
        );
        var told = Assert.Single(await _broker.EventsAsync(OwnerRetired.TypeName));
        Assert.Equal("directory", told.GetProperty("actor").GetProperty("subject").GetString());
        Assert.Equal(RefusalCode.NobodyToAsk, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);

        // Who is gone is not asked for any more, and who is back in the directory is not back here.
        _scim.Users["owner-1"] = true;
        _scim.Asked.Clear();
        _broker.Time.Advance(Every);
        await check.RunAsync(default);
        Assert.Equal(3, _scim.Asked.Count);
        Assert.Single(await _broker.Store.Owners.ListRetiredAsync(default));
    }

    [Fact]
    public async Task Where_the_process_says_so_what_its_agents_hold_is_revoked()
    {
        await _broker.ApplyAsync(Policy("onOwnerGone: revoke"));
        var lease = await _broker.IssueAsync();
        _scim.Users.Remove("owner-1", out _);
        await Check().RunAsync(default);
        await _broker.Retry.RunAsync(default);
        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(lease.Id)).State);
    }

    public static TheoryData<string, int, string> Faults =>
        new()
        {
            { "externalId", 401, ScimServer.List(0) },
            { "externalId", 403, ScimServer.List(0) },
            { "externalId", 404, ScimServer.List(0) },
            { "externalId", 500, ScimServer.List(0) },
            { "externalId", 302, ScimServer.List(0) },
            { "externalId", 204, "" },
            { "externalId", 200, "" },
            { "externalId", 200, "<html>no such page</html>" },
            { "externalId", 200, "{}" },
            { "externalId", 200, """{"totalResults":0}""" },
            { "externalId", 200, ScimServer.List(0).Replace("ListResponse", "Error", StringComparison.Ordinal) },
            { "externalId", 200, ScimServer.List(0).Replace(":0,", ":\"0\",", StringComparison.Ordinal) },
            { "externalId", 200, ScimServer.List(0, ScimServer.User("owner-1")) },
            { "externalId", 200, ScimServer.List(1) },
            { "externalId", 200, ScimServer.List(2, ScimServer.User("owner-1", false), ScimServer.User("x")) },
            { "externalId", 200, ScimServer.List(1, ScimServer.User("somebody", false)) },
            {
                "externalId",
                200,
                ScimServer.List(1, ScimServer.User("owner-1")).Replace("true", "\"False\"", StringComparison.Ordinal)
            },
            { "externalId", 200, ScimServer.List(0) + new string(' ', 70_000) },
            { "id", 404, "" },
            { "id", 404, """{"message":"no such route"}""" },
            { "id", 410, ScimServer.User("owner-1", false).ToJsonString() },
            { "id", 200, ScimServer.User("somebody", false).ToJsonString() },
            { "id", 200, ScimServer.List(0) },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task What_proves_nothing_changes_nothing_and_is_said(string attribute, int status, string body)
    {
        await _broker.ApplyAsync(Policy(owners: 1));
        var check = Check(attribute);
        await check.RunAsync(default);
        var known = Assert.Single(check.Standings);
        Assert.Equal((0, _broker.Time.GetUtcNow()), (known.Unknown, known.KnownAt));

        _scim.Answer = async http =>
        {
            http.Response.StatusCode = status;
            http.Response.Headers.Location = status == 302 ? $"{_scim.Url}/Users/owner-1" : null;
            if (status != 204)
            {
                await http.Response.WriteAsync(body);
            }
        };
        _broker.Time.Advance(Every);
        await check.RunAsync(default);
        Assert.Empty(await _broker.Store.Owners.ListRetiredAsync(default));
        var standing = Assert.Single(check.Standings);
        Assert.Equal((1, known.KnownAt), (standing.Unknown, standing.KnownAt));
        Assert.NotEmpty(standing.Why);
        Assert.Equal(2, _scim.Asked.Count);
    }

    [Fact]
    public async Task A_directory_that_does_not_answer_is_given_up_and_knows_nothing()
    {
        var check = Check();
        _scim.Answer = http => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        var pass = check.RunAsync(default).AsTask();
        for (var asked = 1; asked <= DirectoryCheck.MaxUnknownInARow; asked++)
        {
            await Eventually.BecomesTrueAsync(() => Task.FromResult(_scim.Asked.Count == asked), "it is asked");
            _broker.Time.Advance(TimeSpan.FromSeconds(11));
        }

        await pass;
        Assert.Empty(await _broker.Store.Owners.ListRetiredAsync(default));
        var standing = Assert.Single(check.Standings);
        Assert.Equal((4, "it did not answer in time"), (standing.Unknown, standing.Why));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_reached_or_whose_token_is_gone_knows_nothing()
    {
        File.Delete(_token);
        var check = Check();
        await check.RunAsync(default);
        Assert.Equal("a file of its settings does not exist", Assert.Single(check.Standings).Why);
        Assert.Empty(_scim.Asked);

        // Read again: a token that comes later is used.
        await File.WriteAllTextAsync(_token, ScimServer.Token);
        _broker.Time.Advance(Every);
        await check.RunAsync(default);
        Assert.Equal(0, Assert.Single(check.Standings).Unknown);

        await _scim.DisposeAsync();
        _broker.Time.Advance(Every);
        await check.RunAsync(default);
        Assert.Equal(4, Assert.Single(check.Standings).Unknown);
        Assert.Empty(await _broker.Store.Owners.ListRetiredAsync(default));
    }

    [Fact]
    public async Task A_directory_that_suddenly_knows_nobody_retires_nobody()
    {
        var check = Check();
        _scim.Users.Clear();
        for (var pass = 0; pass < 3; pass++)
        {
            await check.RunAsync(default);
            _broker.Time.Advance(Every);
        }

        Assert.Empty(await _broker.Store.Owners.ListRetiredAsync(default));
        var told = Assert.Single(await _broker.EventsAsync(DirectoryDoubted.TypeName)).GetProperty("details");
        Assert.Equal(
            (Issuer, 4, 4),
            (
                told.GetProperty("issuer").GetString(),
                told.GetProperty("answered").GetInt32(),
                told.GetProperty("gone").GetInt32()
            )
        );
        Assert.Equal((4, 4), (check.Standings[0].Doubted, check.Standings[0].Answered));

        // Half of them is no more than half; and the doubt is over.
        _scim.Users["owner-3"] = true;
        _scim.Users["owner-4"] = true;
        await check.RunAsync(default);
        Assert.Equal(0, check.Standings[0].Doubted);
        Assert.Equal(2, (await _broker.Store.Owners.ListRetiredAsync(default)).Count);
    }

    [Fact]
    public async Task Those_whom_it_never_answers_for_do_not_hide_those_behind_them()
    {
        await _broker.ApplyAsync(Policy(owners: 6));
        foreach (var user in new[] { "owner-4", "owner-5" })
        {
            _scim.Users[user] = true;
        }

        _scim.Refused.UnionWith(["owner-1", "owner-2", "owner-3"]);
        var check = Check();
        await check.RunAsync(default);
        Assert.Equal((3, 6), (_scim.Asked.Count, check.Standings[0].Unknown));

        // Each pass from now on reaches everybody: it begins behind where the first one stopped.
        for (var pass = 0; pass < 2; pass++)
        {
            _scim.Asked.Clear();
            _broker.Time.Advance(Every);
            await check.RunAsync(default);
            Assert.Equal((6 - pass, 3), (_scim.Asked.Count, check.Standings[0].Unknown));
            Assert.Equal("it answered 400", check.Standings[0].Why);
            Assert.Equal("owner-6", Assert.Single(await _broker.Store.Owners.ListRetiredAsync(default)).Subject);
        }
    }

    [Fact]
    public async Task Who_could_not_be_retired_stops_nobody_else_and_is_tried_again_at_once()
    {
        LosingStore<StateChange.All> store = null!;
        await using var broker = await BrokerHarness.StartAsync(wrapStore: inner => store = new(inner));
        await broker.ApplyAsync(Policy());
        var check = Check(broker: broker);
        _scim.Users.Remove("owner-1", out _);
        _scim.Users.Remove("owner-2", out _);
        (store.Lost, store.Loses) = (
            true,
            all => all.Changes.OfType<StateChange.OwnerRetired>().Single() is { Owner.Subject: "owner-1" }
        );
        await check.RunAsync(default);
        Assert.Equal("owner-2", Assert.Single(await broker.Store.Owners.ListRetiredAsync(default)).Subject);
        Assert.Equal(
            (1, 0, 0),
            (check.Standings[0].NotRetired, check.Standings[0].Unknown, check.Standings[0].Doubted)
        );

        store.Lost = false;
        await check.RunAsync(default);
        Assert.Equal(2, (await broker.Store.Owners.ListRetiredAsync(default)).Count);
        Assert.Equal(0, check.Standings[0].NotRetired);

        _scim.Asked.Clear();
        await check.RunAsync(default);
        Assert.Empty(_scim.Asked);
    }

    [Fact]
    public async Task A_doubt_that_could_not_be_recorded_counts_and_is_recorded_at_once_when_it_can()
    {
        LosingStore<StateChange.EventRecorded> store = null!;
        await using var broker = await BrokerHarness.StartAsync(wrapStore: inner => store = new(inner));
        await broker.ApplyAsync(Policy());
        var check = Check(broker: broker);
        _scim.Users.Clear();
        store.Lost = true;
        await check.RunAsync(default);
        Assert.Equal(4, check.Standings[0].Doubted);

        store.Lost = false;
        await check.RunAsync(default);
        await check.RunAsync(default);
        Assert.Equal(8, _scim.Asked.Count);
        Assert.Single(await broker.EventsAsync(DirectoryDoubted.TypeName));
        Assert.Empty(await broker.Store.Owners.ListRetiredAsync(default));
    }

    [Fact]
    public async Task A_slow_directory_is_asked_for_a_minute_and_gone_on_with_next_time()
    {
        await _broker.ApplyAsync(Policy(owners: 9));
        using var gate = new SemaphoreSlim(0);
        _scim.Answer = async http =>
        {
            await gate.WaitAsync(http.RequestAborted);
            await http.Response.WriteAsync(ScimServer.List(0));
        };
        var check = Check();
        var pass = check.RunAsync(default).AsTask();
        for (var asked = 1; asked <= 8; asked++)
        {
            await Eventually.BecomesTrueAsync(() => Task.FromResult(_scim.Asked.Count == asked), "it is asked");
            _broker.Time.Advance(TimeSpan.FromSeconds(8));
            if (asked < 8)
            {
                gate.Release();
            }
        }

        await pass.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
        Assert.Equal((7, 2), (check.Standings[0].Answered, check.Standings[0].Unknown));
        Assert.Equal("it was too slow to be asked for everybody", check.Standings[0].Why);

        _scim.Asked.Clear();
        _scim.Answer = null;
        _broker.Time.Advance(Every);
        await check.RunAsync(default);
        Assert.Equal(9, _scim.Asked.Count);
        Assert.Contains("owner-8", _scim.Asked.First(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_finds_nobody_is_believed_only_of_whom_it_says_that_they_are_not_active(bool isInactive)
    {
        var check = Check();
        for (var pass = 0; pass < 3; pass++)
        {
            var asked = 0;
            _scim.Answer = async http =>
            {
                http.Response.StatusCode = asked++ == 0 ? 200 : 503;
                await http.Response.WriteAsync(
                    isInactive ? ScimServer.List(1, ScimServer.User("owner-1", false)) : ScimServer.List(0)
                );
            };
            await check.RunAsync(default);
            if (isInactive)
            {
                Assert.Equal("owner-1", Assert.Single(await _broker.Store.Owners.ListRetiredAsync(default)).Subject);
                return;
            }

            Assert.Empty(await _broker.Store.Owners.ListRetiredAsync(default));
            Assert.Equal((1, 1), (check.Standings[0].Doubted, check.Standings[0].Answered));
            _broker.Time.Advance(Every);
        }

        Assert.Single(await _broker.EventsAsync(DirectoryDoubted.TypeName));
    }

    [Fact]
    public async Task A_sole_owner_is_retired_by_its_word_alone()
    {
        await _broker.ApplyAsync(Policy(owners: 1));
        _scim.Users.Remove("owner-1", out _);
        await Check().RunAsync(default);
        Assert.Single(await _broker.Store.Owners.ListRetiredAsync(default));
    }

    [Fact]
    public async Task Of_two_brokers_one_retires()
    {
        _scim.Users.Remove("owner-1", out _);
        await Task.WhenAll(Check().RunAsync(default).AsTask(), Check().RunAsync(default).AsTask());
        Assert.Single(await _broker.Store.Owners.ListRetiredAsync(default));
        Assert.Single(await _broker.EventsAsync(OwnerRetired.TypeName));
    }

    [Fact]
    public async Task Another_issuers_owners_are_nobody_of_its()
    {
        _scim.Users.Remove("owner-1", out _);
        await Check(issuer: "https://elsewhere.example").RunAsync(default);
        Assert.Empty(_scim.Asked);
        Assert.Empty(await _broker.Store.Owners.ListRetiredAsync(default));
    }

    [Fact]
    public async Task A_subject_is_asked_for_as_it_is()
    {
        const string strange = "o\"; \\ ) or active eq true /../x?&#é";
        _scim.Users[strange] = true;
        var directory = Directory("externalId");
        Assert.IsType<DirectoryAnswer.Present>(await directory.FindAsync(strange, default));
        Assert.Contains("/scim/v2/Users", Assert.Single(_scim.Asked), StringComparison.Ordinal);
        Assert.IsType<DirectoryAnswer.Gone>(await directory.FindAsync(strange + "x", default));
        Assert.IsType<DirectoryAnswer.Unknown>(await Directory("id").FindAsync("..", default));
        Assert.Equal(2, _scim.Asked.Count);
    }

    private DirectoryCheck Check(
        string attribute = "externalId",
        string issuer = Issuer,
        BrokerHarness? broker = null
    ) => Check(broker ?? _broker, Directory(attribute, issuer));

    private static DirectoryCheck Check(BrokerHarness broker, params IPeopleDirectory[] directories) =>
        new(directories, broker.Owners, broker.Policy, broker.Store, broker.Time, NullLogger<DirectoryCheck>.Instance);

    private ScimDirectory Directory(string attribute, string issuer = Issuer) =>
        new(
            issuer,
            new()
            {
                Url = _scim.Url,
                TokenFile = _token,
                Attribute = attribute,
                Every = Every,
            },
            _broker.Time
        );

    private static string Policy(string more = "", int owners = 4) =>
        HarnessPolicy
            .Text(comment: $"{owners}")
            .Replace("impact: low", "impact: medium", StringComparison.Ordinal)
            .Replace(
                "toleratesRuntimeAction: true",
                $"toleratesRuntimeAction: true\n    {more}".TrimEnd(),
                StringComparison.Ordinal
            )
            .Replace(
                "credentials:\n",
                string.Concat(
                    Enumerable
                        .Range(2, owners - 1)
                        .Select(number =>
                            $$"""
                                  other-{{number}}:
                                    owner: { issuer: "https://people.example", subject: "owner-{{number}}", contact: a@example.com }
                                    toleratesRuntimeAction: true
                                    agents: [helper]

                                """
                        )
                ) + "credentials:\n",
                StringComparison.Ordinal
            );
}
