using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// Others read the broker's document: Redocly's linter finds no error, and a strict TypeScript client compiles on what
/// openapi-typescript makes of it.
/// </summary>
public sealed class OpenApiPeersTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private static string Peers => Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "OpenApiPeers");

    [Fact]
    public async Task A_linter_finds_no_error()
    {
        using var folder = await DocumentAsync();

        var report = await RunAsync("@redocly/cli/bin/cli.js", "lint", In(folder, "openapi.json"), "--format=json");

        using var found = JsonDocument.Parse(report);
        Assert.Equal(0, found.RootElement.GetProperty("totals").GetProperty("errors").GetInt32());
        // Only of health, which refuses nobody.
        Assert.All(
            found.RootElement.GetProperty("problems").EnumerateArray(),
            problem => Assert.Equal("operation-4xx-response", problem.GetProperty("ruleId").GetString())
        );
    }

    [Fact]
    public async Task A_strict_TypeScript_client_compiles()
    {
        using var folder = await DocumentAsync();
        foreach (var file in new[] { "client.ts", "tsconfig.json", "package.json" })
        {
            File.Copy(Path.Combine(Peers, file), In(folder, file));
        }

        Directory.CreateSymbolicLink(In(folder, "node_modules"), Path.GetFullPath(Path.Combine(Peers, "node_modules")));
        await RunAsync("openapi-typescript/bin/cli.js", In(folder, "openapi.json"), "--output", In(folder, "types.ts"));
        await RunAsync("typescript/bin/tsc", "--project", In(folder, "tsconfig.json"));

        // It does look: what the document does not have is an error.
        var client = await File.ReadAllTextAsync(In(folder, "client.ts"));
        foreach (var (right, wrong) in new[] { ("secret.username", "secret.user"), ("case \"kv\"", "case \"kw\"") })
        {
            await File.WriteAllTextAsync(
                In(folder, "client.ts"),
                client.Replace(right, wrong, StringComparison.Ordinal)
            );
            await Assert.ThrowsAsync<InvalidOperationException>(() =>
                RunAsync("typescript/bin/tsc", "--project", In(folder, "tsconfig.json"))
            );
        }
    }

    [Fact]
    public async Task The_document_lists_every_code_and_no_integer_is_a_text()
    {
        using var response = await shared.Broker.SendAsync(HttpMethod.Get, "/openapi/v1.json", null);
        var document = await response.ReadAsync(System.Net.HttpStatusCode.OK);

        var codes = document.GetProperty("components").GetProperty("schemas").GetProperty("ErrorCode");
        Assert.Equal(
            ErrorCodes.All.Select(code => code.Code),
            codes.GetProperty("anyOf")[0].GetProperty("enum").EnumerateArray().Select(code => code.GetString())
        );
        var types = Types(document).ToList();
        Assert.True(types.Count(type => type.Contains("integer", StringComparison.Ordinal)) > 40);
        Assert.All(
            types.Where(type =>
                type.Contains("integer", StringComparison.Ordinal) || type.Contains("number", StringComparison.Ordinal)
            ),
            type => Assert.DoesNotContain("string", type, StringComparison.Ordinal)
        );
    }

    private static IEnumerable<string> Types(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element
                .EnumerateObject()
                .SelectMany(member =>
                    member is { Name: "type", Value.ValueKind: JsonValueKind.String or JsonValueKind.Array }
                        ? [member.Value.GetRawText()]
                        : Types(member.Value)
                ),
            JsonValueKind.Array => element.EnumerateArray().SelectMany(Types),
            _ => [],
        };

    private async Task<TemporaryFolder> DocumentAsync()
    {
        if (!Directory.Exists(Path.Combine(Peers, "node_modules")))
        {
            Assert.Skip("@redocly/cli is not installed: npm ci in tests/CredBroker.IntegrationTests/OpenApiPeers");
        }

        var folder = new TemporaryFolder();
        using var response = await shared.Broker.SendAsync(HttpMethod.Get, "/openapi/v1.json", null);
        await File.WriteAllTextAsync(In(folder, "openapi.json"), await response.Content.ReadAsStringAsync());
        return folder;
    }

    /// <summary>What it says on its standard output. None of them calls home.</summary>
    private static async Task<string> RunAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Peers, "node_modules", script), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["REDOCLY_TELEMETRY"] = "off", ["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true" },
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException(
                $"{script} ended with {process.ExitCode}: {await output}{await error}"
            );
    }

    private static string In(TemporaryFolder folder, string name) => Path.Combine(folder.Path, name);

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
