using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>What a process in dev mode prints, followed as a newcomer follows it.</summary>
internal sealed partial class DevBannerText(string text)
{
    /// <summary>Waits until a process has printed all of it.</summary>
    public static async Task<DevBannerText> OfAsync(ChildProcess process, string end)
    {
        await Eventually.BecomesTrueAsync(
            () =>
            {
                Assert.False(process.HasExited, process.Output);
                return Task.FromResult(process.Output.Contains(end, StringComparison.Ordinal));
            },
            end
        );
        Assert.Contains("DEV MODE", process.Output, StringComparison.Ordinal);
        return new DevBannerText(process.Output);
    }

    /// <summary>Asks for a token and exchanges it, with the printed addresses and body.</summary>
    public async Task<HttpStatusCode> ExchangeAsync()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var form = new StringContent(
            "grant_type=client_credentials&agent=triage&instance=triage-1",
            Encoding.UTF8,
            "application/x-www-form-urlencoded"
        );
        using var token = await http.PostAsync(new Uri(TokenAddress().Match(text).Value), form);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(ExchangeAddress().Match(text).Value));
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            JsonNode.Parse(await token.Content.ReadAsStringAsync())!["access_token"]!.ToString()
        );
        request.Content = new StringContent(
            ExchangeBody().Match(text).Groups[1].Value,
            Encoding.UTF8,
            "application/json"
        );
        using var issued = await http.SendAsync(request);
        return issued.StatusCode;
    }

    /// <summary>Sends a signal and checks that the process ends in good order, its data directory gone.</summary>
    public async Task EndsAtAsync(string signal, ChildProcess process)
    {
        await ChildProcess.RunAsync(
            "/bin/sh",
            "-c",
            string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {process.Process.Id}")
        );
        await process.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.Process.ExitCode == 0, process.Output);
        Assert.False(Directory.Exists(Path.GetDirectoryName(PolicyFile().Match(text).Value)));
    }

    [GeneratedRegex(@"/\S+/policy\.yaml")]
    private static partial Regex PolicyFile();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+/token")]
    private static partial Regex TokenAddress();

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+/v1/credentials")]
    private static partial Regex ExchangeAddress();

    [GeneratedRegex(@"-d '(\{.*""billing-api-key"".*\})'")]
    private static partial Regex ExchangeBody();
}
