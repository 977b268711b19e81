using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>The policy by a person's hand: applied, taken back, and refused, on both stores.</summary>
public sealed class PolicyEditApiTests(SharedPostgres shared) : IClassFixture<SharedPostgres>
{
    private const string Edited = TestPolicy.Text + "\n# edited\n";
    private static readonly string Narrower = TestPolicy.Text.Replace(
        "\"billing-readonly\", ",
        "",
        StringComparison.Ordinal
    );

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_an_admin_applies_is_in_force_with_their_name_and_revokes_at_once(bool onPostgres)
    {
        using var schema = onPostgres ? await PostgresSchema.MakeAsync(await shared.GetAsync()) : null;
        await using var broker = await TestBroker.StartAsync(Settings("Api", schema));
        using var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await issued.ReadAsync(HttpStatusCode.Created);
        var tag = await TagAsync(broker);

        using var applied = await PutAsync(broker, Narrower, tag);

        var policy = await applied.ReadAsync(HttpStatusCode.OK);
        Assert.Equal(
            (2L, 1L, "https://people.test", "person-1", "api"),
            (
                policy.GetProperty("version").GetInt64(),
                policy.GetProperty("parent").GetInt64(),
                policy.GetProperty("author").GetProperty("issuer").GetString(),
                policy.GetProperty("author").GetProperty("subject").GetString(),
                policy.GetProperty("source").GetString()
            )
        );
        Assert.Equal(await TagAsync(broker), applied.Headers.ETag!.Tag);
        await Eventually.BecomesTrueAsync(async () =>
            (await GetAsync(broker, "/v1/leases?state=revoked")).GetProperty("leases").GetArrayLength() == 1
        );
        Assert.Empty(broker.Vault.Live);
        var lease = (await GetAsync(broker, "/v1/leases?state=revoked")).GetProperty("leases")[0];
        Assert.Equal("policy-change", lease.GetProperty("revocation").GetProperty("cause").GetString());
        var versions = (await GetAsync(broker, "/v1/policy/versions")).GetProperty("versions");
        Assert.Equal("person-1", versions[0].GetProperty("author").GetProperty("subject").GetString());
        Assert.False(versions[1].TryGetProperty("author", out _));
        Assert.Contains(
            "\"type\":\"policy.applied\",\"actor\":{\"kind\":\"person\",\"issuer\":\"https://people.test\"",
            await LogAsync(broker),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_change_names_the_version_that_its_author_has_seen()
    {
        await using var broker = await TestBroker.StartAsync(Settings("Api"));
        var seen = await TagAsync(broker);

        foreach (
            var tag in new[]
            {
                null,
                "*",
                "W/" + seen,
                seen[1..^1],
                seen + ", " + seen,
                "\"\"",
                "\"" + new string('a', 200) + '"',
            }
        )
        {
            using var unnamed = await PutAsync(broker, Edited, tag);
            await unnamed.ReadProblemAsync("CB7023");
        }

        using (var other = await PutAsync(broker, Edited, "\"0123\""))
        {
            await other.ReadProblemAsync("CB7024");
        }

        using (var none = await PutAsync(broker, Edited, null, ifNoneMatch: "*"))
        {
            await none.ReadProblemAsync("CB7024");
        }

        Assert.Equal(seen, await TagAsync(broker));
        using (var applied = await PutAsync(broker, Edited, seen))
        {
            await applied.ReadAsync(HttpStatusCode.OK);
        }

        using var stale = await PutAsync(broker, Narrower, seen);
        await stale.ReadProblemAsync("CB7024");
        Assert.Equal(2, (await GetAsync(broker, "/v1/policy")).GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task All_faults_come_at_once_as_the_preview_tells_them()
    {
        await using var broker = await TestBroker.StartAsync(Settings("Api"));
        var bad = TestPolicy
            .Text.Replace("impact: low", "impact: tiny", StringComparison.Ordinal)
            .Replace("identity.workload == \"stranger\"", "identity.wrkload == \"stranger\"", StringComparison.Ordinal);
        using var previewed = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/policy/preview",
            broker.Person("viewer"),
            Document(bad)
        );
        var faults = (await previewed.ReadAsync(HttpStatusCode.OK)).GetProperty("faults");

        using var refused = await PutAsync(broker, bad, await TagAsync(broker));

        var told = (await refused.ReadProblemAsync("CB7021")).GetProperty("faults");
        Assert.True(told.GetArrayLength() > 5);
        Assert.Equal(
            faults.EnumerateArray().Select(fault => fault.GetString()),
            told.EnumerateArray().Select(fault => fault.GetString())
        );
        Assert.Equal(1, (await GetAsync(broker, "/v1/policy")).GetProperty("version").GetInt64());
        Assert.Contains("\"reason\":\"CB7021\"", await LogAsync(broker), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_is_too_long_or_holds_what_it_must_not_is_refused()
    {
        await using var broker = await TestBroker.StartAsync(Settings("Api"));
        var tag = await TagAsync(broker);

        using var unknown = await SendAsync(
            broker,
            HttpMethod.Put,
            "/v1/policy",
            Api.Json("""{"text":"x","force":true}"""),
            tag
        );
        await unknown.ReadProblemAsync("CB6001");
        using var noReason = await RollBackAsync(broker, 1, tag, reason: " ");
        await noReason.ReadProblemAsync("CB6003");
        // The connection is closed with this answer.
        using var tooLong = await PutAsync(broker, TestPolicy.Text + "# " + new string('x', 70_000), tag);
        await tooLong.ReadProblemAsync("CB6002");
    }

    [Fact]
    public async Task Where_policy_comes_from_a_file_applying_says_what_to_do_and_going_back_works()
    {
        await using var broker = await TestBroker.StartAsync(Settings("File"));
        using (var refused = await PutAsync(broker, Edited, await TagAsync(broker)))
        {
            var detail = (await refused.ReadProblemAsync("CB7022")).GetProperty("detail").GetString();
            Assert.Contains("Policy:File", detail, StringComparison.Ordinal);
            Assert.Contains("Policy:Source", detail, StringComparison.Ordinal);
        }

        var first = await TagAsync(broker);
        await File.WriteAllTextAsync(broker.PolicyFile, Edited);
        await Eventually.BecomesTrueAsync(async () => await TagAsync(broker) != first);
        using var back = await RollBackAsync(broker, 1, await TagAsync(broker));
        var policy = await back.ReadAsync(HttpStatusCode.OK);
        Assert.Equal(
            (3L, 2L, 1L, "it broke billing"),
            (
                policy.GetProperty("version").GetInt64(),
                policy.GetProperty("parent").GetInt64(),
                policy.GetProperty("restores").GetInt64(),
                policy.GetProperty("reason").GetString()
            )
        );

        // The file still holds what was taken back: neither the watch nor a restart undoes what an admin did.
        await File.WriteAllTextAsync(broker.PolicyFile, Edited);
        await broker.RestartAsync(Settings("File"));
        Assert.Equal(first, await TagAsync(broker));
        var seen = await GetAsync(broker, "/v1/policy");
        Assert.Equal(3, seen.GetProperty("version").GetInt64());
        Assert.Contains("rollback 2", seen.GetProperty("refusedEdit")[0].GetString(), StringComparison.Ordinal);
        Assert.Contains(
            "holds what an earlier version was; version 3 stays",
            await HealthAsync(broker),
            StringComparison.Ordinal
        );

        await File.WriteAllTextAsync(broker.PolicyFile, TestPolicy.Text + "\n# mended\n");
        await Eventually.BecomesTrueAsync(async () =>
            (await GetAsync(broker, "/v1/policy")).GetProperty("version").GetInt64() == 4
        );
    }

    [Theory]
    [InlineData("File")]
    [InlineData("Api")]
    public async Task A_rollback_at_one_broker_is_in_force_at_the_other_and_no_file_of_either_undoes_it(string source)
    {
        using var schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        await using var broker = await TestBroker.StartAsync(Settings(source, schema));
        await using var other = await TestBroker.StartAsync(Settings(source, schema));
        if (source == "Api")
        {
            using var applied = await PutAsync(broker, Edited, await TagAsync(broker));
            await applied.ReadAsync(HttpStatusCode.OK);
        }

        await File.WriteAllTextAsync(broker.PolicyFile, Edited);
        await File.WriteAllTextAsync(other.PolicyFile, Edited);
        await Eventually.BecomesTrueAsync(async () =>
            await VersionAsync(broker) == 2 && await VersionAsync(other) == 2
        );

        using var back = await RollBackAsync(broker, 1, await TagAsync(broker));
        await back.ReadAsync(HttpStatusCode.OK);

        await Eventually.BecomesTrueAsync(async () => await VersionAsync(other) == 3);
        await other.RestartAsync(Settings(source, schema));
        Assert.Equal((3L, 3L), (await VersionAsync(broker), await VersionAsync(other)));
        Assert.Equal(await TagAsync(broker), await TagAsync(other));
        Assert.Equal(1, (await GetAsync(other, "/v1/policy")).GetProperty("restores").GetInt64());
    }

    [Fact]
    public async Task Of_two_admins_at_two_brokers_upon_one_version_one_is_heard()
    {
        using var schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        await using var broker = await TestBroker.StartAsync(Settings("Api", schema));
        await using var other = await TestBroker.StartAsync(Settings("Api", schema));
        var seen = await TagAsync(broker);

        var answers = await Task.WhenAll(
            PutAsync(broker, TestPolicy.Text + "\n# one\n", seen),
            PutAsync(other, TestPolicy.Text + "\n# other\n", seen)
        );

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.PreconditionFailed);
        await Eventually.BecomesTrueAsync(async () =>
            await VersionAsync(broker) == 2 && await VersionAsync(other) == 2
        );
        Assert.Equal(await TagAsync(broker), await TagAsync(other));
        foreach (var answer in answers)
        {
            answer.Dispose();
        }
    }

    [Fact]
    public async Task A_store_without_a_policy_gets_its_first_one_over_the_API()
    {
        await using var broker = await TestBroker.StartAsync(
            new Dictionary<string, string?>(Settings("Api")) { ["Policy:File"] = "" }
        );
        using (var none = await broker.SendAsync(HttpMethod.Get, "/v1/policy", broker.Person("admin")))
        {
            await none.ReadProblemAsync("CB2010");
        }

        using var applied = await PutAsync(broker, TestPolicy.Text, null, ifNoneMatch: "*");

        Assert.Equal(1, (await applied.ReadAsync(HttpStatusCode.OK)).GetProperty("version").GetInt64());
        using var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await issued.ReadAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task An_edit_of_a_file_that_is_not_read_is_said()
    {
        await using var broker = await TestBroker.StartAsync(Settings("Api"));
        await File.WriteAllTextAsync(broker.PolicyFile, Edited);

        await Eventually.BecomesTrueAsync(async () =>
            (await HealthAsync(broker)).Contains("policy comes by the API; version 1 stays", StringComparison.Ordinal)
        );
        var policy = await GetAsync(broker, "/v1/policy");
        Assert.Equal(1, policy.GetProperty("version").GetInt64());
        Assert.Contains("policy apply", policy.GetProperty("refusedEdit")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_says_what_is_wrong_with_a_bad_edit_since_when_and_what_stays_and_quotes_nothing_of_it()
    {
        await using var broker = await TestBroker.StartAsync(Settings("File"));
        await File.WriteAllTextAsync(
            broker.PolicyFile,
            TestPolicy.Text.Replace("access: read", "access: top-secret-word", StringComparison.Ordinal)
        );

        // What is read while it is being written is refused, too, with faults of its own.
        await Eventually.BecomesTrueAsync(async () =>
            (await HealthAsync(broker)).Contains("5 faults", StringComparison.Ordinal)
        );
        var said = await HealthAsync(broker);
        Assert.Matches(
            "Since 20[0-9-]+T[0-9:]+Z the policy file has 5 faults, the first at line [0-9]+, column [0-9]+; version 1 stays",
            said
        );
        Assert.DoesNotContain("top-secret-word", said, StringComparison.Ordinal);
        var policy = await GetAsync(broker, "/v1/policy");
        Assert.Equal(5, policy.GetProperty("refusedEdit").GetArrayLength());
        Assert.True(policy.GetProperty("refusedSince").GetDateTimeOffset() <= TimeProvider.System.GetUtcNow());
    }

    private static Dictionary<string, string?> Settings(string source, PostgresSchema? schema = null)
    {
        var settings = new Dictionary<string, string?> { ["Policy:Source"] = source };
        if (schema is not null)
        {
            settings["Storage:Provider"] = "postgres";
            settings["Storage:ConnectionStringFile"] = schema.ConnectionStringFile;
        }

        return settings;
    }

    private static StringContent Document(string text) => Api.Json(JsonSerializer.Serialize(new { text }));

    private static Task<HttpResponseMessage> PutAsync(
        TestBroker broker,
        string text,
        string? tag,
        string? ifNoneMatch = null
    ) => SendAsync(broker, HttpMethod.Put, "/v1/policy", Document(text), tag, ifNoneMatch);

    private static Task<HttpResponseMessage> RollBackAsync(
        TestBroker broker,
        long version,
        string tag,
        string reason = "it broke billing"
    ) =>
        SendAsync(
            broker,
            HttpMethod.Post,
            "/v1/policy/rollback",
            Api.Json(JsonSerializer.Serialize(new { version, reason })),
            tag
        );

    private static async Task<HttpResponseMessage> SendAsync(
        TestBroker broker,
        HttpMethod method,
        string path,
        HttpContent body,
        string? tag,
        string? ifNoneMatch = null
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", broker.Person("admin"));
        if (tag is not null)
        {
            Assert.True(request.Headers.TryAddWithoutValidation("If-Match", tag));
        }

        if (ifNoneMatch is not null)
        {
            Assert.True(request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch));
        }

        return await broker.Http.SendAsync(request, HttpCompletionOption.ResponseContentRead);
    }

    private static async Task<JsonElement> GetAsync(TestBroker broker, string path)
    {
        using var response = await broker.SendAsync(HttpMethod.Get, path, broker.Person("viewer"));
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private static async Task<string> TagAsync(TestBroker broker)
    {
        using var response = await broker.SendAsync(HttpMethod.Get, "/v1/policy", broker.Person("viewer"));
        await response.ReadAsync(HttpStatusCode.OK);
        return response.Headers.ETag!.Tag;
    }

    private static async Task<long> VersionAsync(TestBroker broker) =>
        (await GetAsync(broker, "/v1/policy")).GetProperty("version").GetInt64();

    private static async Task<string> HealthAsync(TestBroker broker)
    {
        using var health = await broker.SendAsync(HttpMethod.Get, "/health/issuing", token: null);
        return (await health.ReadAsync(HttpStatusCode.OK))
            .GetProperty("parts")
            .EnumerateArray()
            .Single(part => part.GetProperty("name").GetString() == "policy")
            .TryGetProperty("detail", out var detail)
            ? detail.GetString()!
            : "";
    }

    private static async Task<string> LogAsync(TestBroker broker)
    {
        using var export = await broker.SendAsync(HttpMethod.Get, "/v1/audit/export", broker.Person("auditor"));
        return await export.Content.ReadAsStringAsync();
    }
}
