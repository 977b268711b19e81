using System.Text.RegularExpressions;
using CredBroker.Dev;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>
/// What somebody who tries dev mode types: the real <c>bao kv</c> against DevVault prints what it prints against a real
/// OpenBao, and ends with the same code.
/// </summary>
public sealed partial class DevVaultCliTests(SharedBao shared) : IClassFixture<SharedBao>
{
    private const string Limited = """
        PUT sys/policies/acl/cli {"policy":"path \"secret/data/*\" { capabilities=[\"create\",\"read\",\"update\"] }"}
        POST auth/token/create {"id":"limited","policies":["cli"],"no_default_policy":true,"ttl":"10m"}
        POST auth/token/create {"id":"stranger","ttl":"10m","policies":["none"],"no_default_policy":true}
        """;

    private static readonly string[] Commands =
    [
        "kv put secret/a k=v n=5",
        "kv get secret/a",
        "kv get -field=k secret/a",
        "kv get -format=json secret/a",
        "kv put -mount=secret a/b x=y",
        "kv get -mount=secret a/b",
        "kv list secret/",
        "kv list -mount=secret",
        "kv list -format=json secret",
        "kv list secret/none",
        "kv patch secret/a n=6",
        "kv patch -method=rw secret/a n=7",
        "kv patch -cas=99 secret/a n=6",
        "kv patch secret/none n=6",
        "kv put -cas=0 secret/a k=z",
        "kv get -version=1 secret/a",
        "kv get -version=77 secret/a",
        "kv metadata put -custom-metadata=o=p -max-versions=5 secret/a",
        "kv metadata patch -custom-metadata=q=r secret/a",
        "kv metadata get secret/a",
        "kv metadata get secret/none",
        "kv delete secret/a",
        "kv get secret/a",
        "kv undelete -versions=3 secret/a",
        "kv rollback -version=1 secret/a",
        "kv delete -versions=1 secret/a",
        "kv destroy -versions=2 secret/a",
        "kv metadata get secret/a",
        "kv metadata delete secret/a",
        "kv get secret/a",
        "kv get secret",
        "kv get none/a",
        "kv put none/a a=b",
        "limited kv put secret/a k=v",
        "limited kv patch secret/a k=w",
        "limited kv patch -method=patch secret/a k=w",
        "limited kv get secret/a",
        "limited kv delete secret/a",
        "limited kv list secret",
        "stranger kv get secret/a",
        "nobody kv get secret/a",
    ];

    [Fact]
    public async Task The_key_value_commands_print_what_they_print_for_OpenBao()
    {
        var bao = await shared.GetAsync();
        await using var vault = await DevVault.StartAsync(
            new DevVaultOptions { RootToken = bao.RootToken },
            TestContext.Current.CancellationToken
        );

        var printed = await Task.WhenAll(
            RunAsync(bao.Address, bao.RootToken),
            RunAsync(vault.Address, vault.RootToken)
        );

        Assert.Equal(string.Join('\n', printed[0]), string.Join('\n', printed[1]));
        Assert.Contains(
            printed[1],
            run => run.StartsWith("kv get -field=k secret/a => 0\nv", StringComparison.Ordinal)
        );
    }

    private static async Task<List<string>> RunAsync(Uri address, string root)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        await new VaultScript(address, root, http, new Dictionary<string, string>()).RunAsync(Limited);
        var runs = new List<string>();
        foreach (var command in Commands)
        {
            var words = command.Split(' ');
            var token = words[0] == "kv" ? root : words[0];
            await using var child = ChildProcess.Start(
                TestBao.FindBinary()!,
                words.SkipWhile(word => word != "kv"),
                new Dictionary<string, string>
                {
                    ["BAO_ADDR"] = address.ToString(),
                    ["VAULT_ADDR"] = address.ToString(),
                    ["BAO_TOKEN"] = token,
                    ["VAULT_TOKEN"] = token,
                }
            );
            await child.Process.WaitForExitAsync(TestContext.Current.CancellationToken);

            // What goes to standard output and what to standard error meets here in any order.
            var lines = child.Output.Split('\n').Select(OfOneRun).Where(line => line.Length > 0);
            runs.Add(
                $"{command} => {child.Process.ExitCode}\n{string.Join('\n', lines.Order(StringComparer.Ordinal))}"
            );
        }

        return runs;

        string OfOneRun(string line) =>
            TimeOrId()
                .Replace(line.TrimEnd(), "…")
                .Replace(address.ToString().TrimEnd('/'), "ADDRESS", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT[0-9:.]+Z|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex TimeOrId();
}
