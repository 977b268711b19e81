using System.Net;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>What an admin does to the policy from the command line, on a real broker.</summary>
public sealed class PolicyChangeTests : IAsyncLifetime
{
    private static readonly string Narrower = TestPolicy.Text.Replace(
        "\"billing-readonly\", ",
        "",
        StringComparison.Ordinal
    );

    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await StartAsync("Api");

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task Applying_shows_what_it_ends_and_asks_and_nobody_asked_is_no()
    {
        await IssueAsync();
        var file = await FileAsync(Narrower);

        var silent = await RunAsync("policy", "apply", file);
        var no = await RunTypingAsync("n\n", "policy", "apply", file);
        var nothing = await RunTypingAsync("", "policy", "apply", file);

        Assert.Equal((2, 3, 3), (silent.ExitCode, no.ExitCode, nothing.ExitCode));
        Assert.Contains("--yes", silent.Error, StringComparison.Ordinal);
        Assert.Contains("Of 1 live leases 1 would end", no.Error, StringComparison.Ordinal);
        Assert.Contains("Make it the next version after 1? [y/N]", no.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed", no.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await PolicyAsync()).Version);

        var yes = await RunTypingAsync("y\n", "policy", "apply", file);

        Assert.True(yes.ExitCode == 0, yes.Error);
        Assert.Matches("lease ends +CB2001", yes.Out);
        Assert.Contains("Version 2 is in force", yes.Error, StringComparison.Ordinal);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(_broker.Vault.Live.Count == 0));
    }

    [Fact]
    public async Task As_JSON_it_says_what_it_ends_and_what_is_in_force()
    {
        await IssueAsync();

        var run = await RunAsync("policy", "apply", await FileAsync(Narrower), "--yes", "-o", "json");

        Assert.True(run.ExitCode == 0, run.Error);
        var said = JsonElement.Parse(run.Out);
        Assert.Equal(1, said.GetProperty("preview").GetProperty("endedCount").GetInt32());
        Assert.Equal(2, said.GetProperty("inForce").GetProperty("version").GetInt32());
        Assert.Equal("person-1", said.GetProperty("inForce").GetProperty("author").GetProperty("subject").GetString());

        var again = await RunAsync("policy", "apply", await FileAsync(Narrower));
        Assert.Equal(0, again.ExitCode);
        Assert.Contains("nothing was changed", again.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await PolicyAsync()).Version);
    }

    [Fact]
    public async Task A_document_with_faults_is_not_sent()
    {
        var run = await RunAsync(
            "policy",
            "apply",
            await FileAsync(TestPolicy.Text.Replace("impact: low", "impact: tiny", StringComparison.Ordinal)),
            "--yes"
        );

        Assert.Equal(5, run.ExitCode);
        Assert.Matches("line [0-9]+, column [0-9]+: ", run.Error);
        Assert.Equal(1, (await PolicyAsync()).Version);
    }

    [Fact]
    public async Task Where_policy_comes_from_a_file_it_says_so_before_it_shows_anything()
    {
        await using var broker = await StartAsync("File");

        var run = await RunAsync(broker, null, "policy", "apply", await FileAsync(Narrower), "--yes");

        Assert.Equal((3, ""), (run.ExitCode, run.Out));
        Assert.Contains("comes from a file", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Going_back_needs_a_reason_and_is_seen_in_the_versions()
    {
        await RunAsync("policy", "apply", await FileAsync(Narrower), "--yes");

        Assert.Equal(2, (await RunAsync("policy", "rollback", "1", "--yes")).ExitCode);
        Assert.Equal(3, (await RunAsync("policy", "rollback", "7", "--reason", "x", "--yes")).ExitCode);
        var back = await RunAsync("policy", "rollback", "1", "--reason", "it broke billing", "--yes");
        var versions = await RunAsync("policy", "versions");
        var shown = await RunAsync("policy", "show");

        Assert.True(back.ExitCode == 0, back.Error);
        Assert.Contains("Version 3 is in force", back.Error, StringComparison.Ordinal);
        Assert.Matches("3 +20[^ ]+ +person-1 of https://people.test +back from 2 to 1: it broke billing", versions.Out);
        Assert.Matches("2 +20[^ ]+ +person-1 of https://people.test +after 1", versions.Out);
        Assert.Matches("1 +20[^ ]+ +file", versions.Out);
        Assert.Contains(
            "Back from version 2 to what version 1 said: it broke billing",
            shown.Error,
            StringComparison.Ordinal
        );
        Assert.Contains("Applied by person-1 of https://people.test", shown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_past_is_replayed_and_too_many_denials_keep_a_document_from_being_applied()
    {
        await IssueAsync();
        using (
            var denied = await _broker.SendAsync(
                HttpMethod.Post,
                "/v1/credentials",
                _broker.Agent(),
                Api.Exchange("forbidden")
            )
        )
        {
            await denied.ReadProblemAsync("CB2002");
        }

        var file = await FileAsync(Narrower);
        var replay = await RunAsync("policy", "replay", file, "--since", "30d");
        var json = await RunAsync("policy", "replay", file, "--since", "1h", "-o", "json");

        Assert.True(replay.ExitCode == 0, replay.Error);
        Assert.Matches(@"1 +invoice-triage +allow \(triage-reads\) +deny \(CB2001\)", replay.Out);
        Assert.Contains(
            "Of 2 requests decided again, 1 would be denied that were not",
            replay.Error,
            StringComparison.Ordinal
        );
        Assert.Equal(
            (2, 1),
            JsonSerializer.Deserialize(json.Out, BrokerJson.Default.PolicyReplayResponse) is { } told
                ? (told.Replayed, told.NewDenials)
                : default
        );
        Assert.Equal(2, (await RunAsync("policy", "replay", file)).ExitCode);
        Assert.Equal(2, (await RunAsync("policy", "replay", file, "--since", "30y")).ExitCode);

        // A bound that nothing would be compared with is no bound.
        Assert.Equal(2, (await RunAsync("policy", "apply", file, "--max-new-denials", "0", "--yes")).ExitCode);
        Assert.Equal(2, (await RunAsync("policy", "apply", file, "--accept-incomplete-replay", "--yes")).ExitCode);
        var refused = await RunAsync("policy", "apply", file, "--require-replay", "30d", "--yes");
        Assert.Equal(5, refused.ExitCode);
        Assert.Contains("--max-new-denials is 0", refused.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await PolicyAsync()).Version);
        var applied = await RunAsync(
            "policy",
            "apply",
            file,
            "--require-replay",
            "30d",
            "--max-new-denials",
            "1",
            "--yes",
            "-o",
            "json"
        );
        Assert.True(applied.ExitCode == 0, applied.Error);
        Assert.Equal(1, JsonElement.Parse(applied.Out).GetProperty("replay").GetProperty("newDenials").GetInt32());
    }

    [Fact]
    public async Task The_doctor_says_which_edit_is_refused_since_when_and_what_stays()
    {
        await using var broker = await StartAsync("File");
        await File.WriteAllTextAsync(broker.PolicyFile, "apiVersion: credbroker/v1\nagents: [");

        CliRun run = null!;
        await Eventually.BecomesTrueAsync(async () =>
        {
            run = await RunAsync(broker, null, "doctor");
            return run.Error.Contains("First failing check: policy", StringComparison.Ordinal);
        });

        Assert.Equal(5, run.ExitCode);
        Assert.Matches("First failing check: policy: Since 20[^ ]+Z the policy file has [0-9]+ faults?", run.Error);
        Assert.Contains("version 1 stays in force", run.Error, StringComparison.Ordinal);
        Assert.Contains("Cure: Mend the policy file", run.Error, StringComparison.Ordinal);
    }

    private static async Task<TestBroker> StartAsync(string source) =>
        await TestBroker.StartAsync(new Dictionary<string, string?> { ["Policy:Source"] = source });

    private async Task IssueAsync()
    {
        using var issued = await _broker.SendAsync(HttpMethod.Post, "/v1/credentials", _broker.Agent(), Api.Exchange());
        await issued.ReadAsync(HttpStatusCode.Created);
    }

    private async Task<string> FileAsync(string text)
    {
        var file = Path.Combine(_broker.Folder, $"next-{Guid.NewGuid():N}.yaml");
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    private async Task<PolicyResponse> PolicyAsync() =>
        JsonSerializer.Deserialize(
            (await RunAsync("policy", "show", "-o", "json")).Out,
            BrokerJson.Default.PolicyResponse
        )!;

    private Task<CliRun> RunAsync(params string[] args) => RunAsync(_broker, null, args);

    private Task<CliRun> RunTypingAsync(string typed, params string[] args) => RunAsync(_broker, typed, args);

    private static async Task<CliRun> RunAsync(TestBroker broker, string? typed, params string[] args)
    {
        var token = Path.Combine(broker.Folder, "admin-token");
        await File.WriteAllTextAsync(token, broker.Person("admin"));
        var environment = new Dictionary<string, string>
        {
            ["CREDBROKER_SERVER"] = broker.Addresses[0].ToString(),
            ["CREDBROKER_TOKEN_FILE"] = token,
        };
        return typed is null
            ? await CliRun.RunAsync(environment, args)
            : await CliRun.RunTypingAsync(environment, typed, args);
    }
}
