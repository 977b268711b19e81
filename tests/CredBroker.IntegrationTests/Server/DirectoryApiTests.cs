using System.Net;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Server.Hosting;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Server;

/// <summary>A broker whose settings name a directory hears there that an owner left, and says so where it does not.</summary>
public sealed class DirectoryApiTests : IAsyncLifetime
{
    private readonly string _token = Path.GetTempFileName();
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private ScimServer _scim = null!;
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_token, ScimServer.Token);
        _scim = await ScimServer.StartAsync("owner-1", "owner-2");
        _broker = await TestBroker.StartAsync(
            new Dictionary<string, string?>
            {
                ["Identity:Issuers:1:Scim:Url"] = _scim.Url,
                ["Identity:Issuers:1:Scim:TokenFile"] = _token,
                ["Identity:Issuers:1:Scim:Every"] = "00:01:00",
            },
            TestPolicy.Text.Replace(
                "    agents: [triage]\n",
                "    agents: [triage]\n    onOwnerGone: revoke\n",
                StringComparison.Ordinal
            ),
            replace: services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_time)),
            devMode: true
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _scim.DisposeAsync();
        File.Delete(_token);
    }

    [Fact]
    public async Task An_owner_who_is_deleted_there_answers_for_nothing_here_within_the_period()
    {
        using (
            var issued = await _broker.SendAsync(HttpMethod.Post, "/v1/credentials", _broker.Agent(), Api.Exchange())
        )
        {
            await issued.ReadAsync(HttpStatusCode.Created);
        }

        await PassesAsync(() => Task.FromResult(_scim.Asked.Count >= 2), TimeSpan.FromSeconds(15));
        Assert.Null(await NoteAsync());
        Assert.False((await ProcessAsync()).TryGetProperty("ownerGone", out _));

        _scim.Users.Remove("owner-1", out _);
        await PassesAsync(
            async () => (await ProcessAsync()).TryGetProperty("ownerGone", out _) && _broker.Vault.Live.Count == 0,
            TimeSpan.FromSeconds(75)
        );
        Assert.Equal("constrained", (await ProcessAsync()).GetProperty("mode").GetString());
        var gone = Assert.Single(
            (await GetAsync("/v1/owners/retired")).GetProperty("owners").EnumerateArray().ToList()
        );
        Assert.Equal(
            ("owner-1", "broker:directory", "directory: not known"),
            (
                gone.GetProperty("subject").GetString(),
                gone.GetProperty("retiredBy").GetString(),
                gone.GetProperty("reason").GetString()
            )
        );
    }

    [Fact]
    public async Task What_it_does_not_say_is_seen_in_health_and_changes_nothing()
    {
        await PassesAsync(() => Task.FromResult(_scim.Asked.Count >= 2), TimeSpan.FromSeconds(15));
        _scim.Users.Clear();
        await PassesAsync(
            async () =>
                (await NoteAsync())?.StartsWith("2 of 2 owners are gone at once", StringComparison.Ordinal) == true,
            TimeSpan.FromSeconds(75)
        );

        _scim.Answer = http =>
        {
            http.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        await PassesAsync(
            async () =>
                (await NoteAsync())?.StartsWith(
                    "Whether 2 owners are still there a directory has not said since 2",
                    StringComparison.Ordinal
                ) == true,
            TimeSpan.FromSeconds(75)
        );
        Assert.Empty((await GetAsync("/v1/owners/retired")).GetProperty("owners").EnumerateArray());
    }

    [Fact]
    public async Task Who_could_not_be_retired_is_seen_in_health_and_retired_as_soon_as_the_store_takes_it()
    {
        await ExecuteAsync(
            "CREATE TRIGGER refuse BEFORE INSERT ON owner_retirement BEGIN SELECT raise(ABORT, 'no'); END"
        );
        _scim.Users.Remove("owner-1", out _);
        await PassesAsync(
            async () =>
                (await NoteAsync())?.StartsWith(
                    "1 owners are gone by a directory's word and could not be retired yet",
                    StringComparison.Ordinal
                ) == true,
            TimeSpan.FromSeconds(75)
        );
        Assert.False((await ProcessAsync()).TryGetProperty("ownerGone", out _));

        await ExecuteAsync("DROP TRIGGER refuse");
        await PassesAsync(
            async () => (await ProcessAsync()).TryGetProperty("ownerGone", out _) && await NoteAsync() is null,
            TimeSpan.FromSeconds(15)
        );
    }

    [Theory]
    [InlineData("Url", "http://directory.example/scim", "Scim:Url is 'http://directory.example/scim'")]
    [InlineData("Url", "https://directory.example/scim?x=1", "Scim:Url is")]
    [InlineData("Url", "", "Scim:Url is missing")]
    [InlineData("TokenFile", "", "Scim:TokenFile is missing")]
    [InlineData("TokenFile", "/does/not/exist", "Scim:TokenFile cannot be used")]
    [InlineData("CaFile", "/does/not/exist", "Scim:CaFile cannot be used")]
    [InlineData("Attribute", "a b", "Scim:Attribute is 'a b'")]
    [InlineData("Every", "00:00:01", "Scim:Every is 00:00:01")]
    [InlineData("MaxGone", "-1", "Scim:MaxGone is -1")]
    [InlineData("Use", "workloads", "Scim is set, but the issuer is for workloads")]
    public void Every_fault_of_the_settings_is_told_with_what_to_write(string name, string value, string fault)
    {
        var settings = _broker.Settings();
        settings["Identity:Issuers:1:Scim:Url"] = "https://directory.example/scim";
        settings["Identity:Issuers:1:Scim:TokenFile"] = _token;
        Read();
        settings[name == "Use" ? "Identity:Issuers:1:Use" : $"Identity:Issuers:1:Scim:{name}"] = value;
        var faults = Assert.Throws<SettingsFaultsException>(Read).Faults;
        Assert.Contains(faults, one => one.StartsWith($"Identity:Issuers:1:{fault}", StringComparison.Ordinal));

        void Read() =>
            BrokerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), devMode: false);
    }

    /// <summary>It comes true before so much time has passed.</summary>
    private async Task PassesAsync(Func<Task<bool>> isSo, TimeSpan within)
    {
        var passed = TimeSpan.Zero;
        await Eventually.BecomesTrueAsync(async () =>
        {
            if (await isSo())
            {
                return true;
            }

            if (passed < within)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                passed += TimeSpan.FromSeconds(1);
            }

            return false;
        });
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={_broker.StoreFile};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }

    private async Task<string?> NoteAsync()
    {
        var part = (await GetAsync("/health/issuing"))
            .GetProperty("parts")
            .EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == "directory");
        Assert.Equal("ok", part.GetProperty("status").GetString());
        return part.TryGetProperty("detail", out var detail) ? detail.GetString() : null;
    }

    private async Task<JsonElement> ProcessAsync() =>
        (await GetAsync("/v1/processes"))
            .GetProperty("processes")
            .EnumerateArray()
            .Single(process => process.GetProperty("name").GetString() == "invoice-triage");

    private async Task<JsonElement> GetAsync(string path)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, path, _broker.Person("viewer"));
        return await response.ReadAsync(HttpStatusCode.OK);
    }
}
