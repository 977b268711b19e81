using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>The sample that a newcomer runs first, as a process of its own.</summary>
public sealed partial class QuickstartTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task The_whole_story_happens()
    {
        await using var quickstart = Start();

        await EndAsync(quickstart);

        Assert.True(quickstart.Process.ExitCode == 0, quickstart.Output);
        var steps = StepLine().Matches(quickstart.Output).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(Enumerable.Range(1, 11), steps);
        Assert.Contains("All 11 steps happened as they should", quickstart.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', quickstart.Output);
        Assert.DoesNotContain("fail:", quickstart.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task Kept_it_answers_what_it_says_to_try_and_stops_at_a_signal(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs a POSIX signal.");
        await using var quickstart = Start("--keep");
        await WaitForAsync(quickstart, "The broker runs until Ctrl+C.");
        var told = quickstart.Output;
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });

        var agent = await TokenAsync(http, told, "agent=triage&instance=triage-1");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(ExchangeAddress().Match(told).Value));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", agent);
        request.Content = new StringContent(ExchangeBody().Match(told).Groups[1].Value, Encoding.UTF8, "application/json");
        using var issued = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, issued.StatusCode);

        await ChildProcess.RunAsync("/bin/sh", "-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {quickstart.Process.Id}"));
        await EndAsync(quickstart);
        Assert.True(quickstart.Process.ExitCode == 0, quickstart.Output);
        Assert.False(Directory.Exists(Path.GetDirectoryName(PolicyFile().Match(told).Value)));
    }

    [Fact]
    public async Task An_argument_that_it_does_not_know_shows_how_it_is_used()
    {
        await using var quickstart = Start("--what");

        await EndAsync(quickstart);

        Assert.Equal(2, quickstart.Process.ExitCode);
        Assert.Contains("--keep", quickstart.Output, StringComparison.Ordinal);
    }

    private static ChildProcess Start(params string[] arguments) => ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "Quickstart.dll"), .. arguments]);

    private static async Task EndAsync(ChildProcess process)
    {
        using var limit = new CancellationTokenSource(Limit);
        await process.Process.WaitForExitAsync(limit.Token);
    }

    private static async Task WaitForAsync(ChildProcess process, string text)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!process.Output.Contains(text, StringComparison.Ordinal))
        {
            Assert.False(process.HasExited, process.Output);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, limit.Token);
        }
    }

    private static async Task<string> TokenAsync(HttpClient http, string told, string who)
    {
        using var form = new StringContent($"grant_type=client_credentials&{who}", Encoding.UTF8, "application/x-www-form-urlencoded");
        using var response = await http.PostAsync(new Uri(TokenAddress().Match(told).Value), form);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!["access_token"]!.ToString();
    }

    [GeneratedRegex(@"^ ?(\d+)\. ", RegexOptions.Multiline)]
    private static partial Regex StepLine();

    [GeneratedRegex(@"/\S+/policy\.yaml")]
    private static partial Regex PolicyFile();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+/token")]
    private static partial Regex TokenAddress();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+/v1/credentials")]
    private static partial Regex ExchangeAddress();

    [GeneratedRegex(@"-d '(\{.*""billing-api-key"".*\})'")]
    private static partial Regex ExchangeBody();
}
