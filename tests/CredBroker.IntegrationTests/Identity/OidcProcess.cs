using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Identity;

/// <summary>A process that runs a certified OpenID provider (npm <c>oidc-provider</c>).</summary>
internal sealed partial class OidcProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;

    private OidcProcess(ChildProcess process) => _process = process;

    public string Issuer { get; private set; } = "";

    /// <summary>Starts a script of the folder <c>OidcProvider</c>; skips the test where there is no Node for it.</summary>
    public static async Task<OidcProcess> StartAsync(string script, IReadOnlyDictionary<string, string> environment)
    {
        var folder = Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "OidcProvider");
        var node = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':')
            .Select(p => Path.Combine(p, "node"))
            .FirstOrDefault(File.Exists);
        if (node is null)
        {
            Assert.Skip("node is not on the PATH");
        }

        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            Assert.Skip("oidc-provider is not installed: npm ci in tests/CredBroker.IntegrationTests/OidcProvider");
        }

        var started = new OidcProcess(ChildProcess.Start(node, [Path.Combine(folder, script)], environment));
        try
        {
            await Eventually.BecomesTrueAsync(
                () =>
                {
                    Assert.False(started._process.HasExited, started._process.Output);
                    return Task.FromResult(Ready().IsMatch(started._process.Output));
                },
                "the provider's READY"
            );
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }

        started.Issuer = Ready().Match(started._process.Output).Groups[1].Value;
        return started;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string ThisFile([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"^READY (\S+)\s*$", RegexOptions.Multiline)]
    private static partial Regex Ready();
}
