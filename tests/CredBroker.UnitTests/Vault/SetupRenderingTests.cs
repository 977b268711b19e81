using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CredBroker.Core.Policy;
using CredBroker.Vault.Setup;

namespace CredBroker.UnitTests.Vault;

/// <summary>
/// What is printed runs, and nothing that stands in a policy document gets out of the place that it is put into.
/// </summary>
public sealed partial class SetupRenderingTests
{
    private static readonly string[] Hostile =
    [
        "EOF",
        "EOT",
        "'",
        "''",
        "\"",
        "`touch $CANARY`",
        "$(touch $CANARY)",
        "; touch $CANARY;",
        "\\",
        "\\'",
        "\n",
        "\r\n",
        "\t",
        "${",
        "$${",
        "$$$${x}",
        "%{",
        "%%{if true}",
        "$",
        "{",
        "}",
        "-n",
        "%s",
        "\\c",
        "\\0",
        "!!",
        "~",
        "*",
        "&",
        "|",
        "<<",
        "#",
        " ",
        "path \"a\" {",
        "*/",
        "ä",
        "€",
        "😀",
        "\u2028",
        "\u202e",
        "\n'\ntouch $CANARY\n'",
        "\nEOF\ntouch $CANARY\n",
        "]) }\n",
    ];

    /// <summary>So many texts out of those, others in each run; what fails is shown.</summary>
    private static IEnumerable<string> Texts(int count) =>
        Hostile.Concat(
            Enumerable
                .Range(0, count)
                .Select(_ =>
                    string.Concat(
                        RandomNumberGenerator.GetItems<string>(Hostile, RandomNumberGenerator.GetInt32(1, 12))
                    )
                )
        );

    [Fact]
    public async Task A_shell_gives_every_text_back_as_it_was_and_does_nothing_else()
    {
        SkipWithoutShell();
        string[] texts = [.. Texts(500)];
        var script = new StringBuilder();
        foreach (var text in texts)
        {
            script.Append($"printf '%s' {SetupText.Shell(text)}; printf '\\000'\n");
        }

        var folder = Directory.CreateTempSubdirectory("credbroker-sh-");
        var (exitCode, output) = await RunAsync(script.ToString(), folder, []);

        Assert.Equal(0, exitCode);
        Assert.Equal(texts, output.Split('\0')[..^1]);
        Assert.DoesNotContain(folder.GetFiles(), file => file.Name == "canary");
        folder.Delete(recursive: true);
        Assert.Throws<ArgumentException>(() => SetupText.Shell("a\0b"));
    }

    [Fact]
    public async Task The_script_of_a_hostile_catalogue_says_to_Vault_what_the_plan_says_and_nothing_else()
    {
        SkipWithoutShell();
        var folder = Directory.CreateTempSubdirectory("credbroker-sh-");
        var admin = Path.Combine(folder.FullName, "admin's $(touch $CANARY) file");
        await File.WriteAllTextAsync(admin, " cb_admin:p\"a\\ss:w'o$rd`x` \n");
        // It answers that nothing is there yet, and keeps what it is told.
        var cli = Path.Combine(folder.FullName, "bao");
        await File.WriteAllTextAsync(
            cli,
            """
            #!/bin/sh
            case $1 in
              read) case $2 in */creds/*) exit 0 ;; esac; exit 2 ;;
              list) exit 2 ;;
              token) echo s.child; exit 0 ;;
            esac
            printf '%s\n' "$*" >>"$FOLDER/arguments"
            name=$(printf '%s' "$2" | tr / +)
            cat >"$FOLDER/told+$name"
            """
        );
        File.SetUnixFileMode(cli, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        foreach (var texts in Texts(120).Chunk(8))
        {
            var plan = SetupPlan.For(
                "prod",
                [
                    .. texts.Select((text, i) => Token($"t{i}", $"path \"x\" {{}}\n{text}")),
                    Database("billing", admin, [.. texts]),
                ]
            );
            Assert.Empty(plan.Faults);

            var (exitCode, output) = await RunAsync(SetupRenderer.Shell(plan), folder, [("VAULT_CLI", cli)]);

            Assert.True(exitCode == 0, output);
            foreach (var step in plan.Steps)
            {
                var told = await File.ReadAllTextAsync(
                    Path.Combine(folder.FullName, "told+" + step.Path.Replace('/', '+'))
                );
                if (step.Kind == SetupKind.Policy)
                {
                    Assert.Equal(step.PolicyText, told);
                    continue;
                }

                var expected = step.Body.DeepClone().AsObject();
                if (step.CredentialFile.Length > 0)
                {
                    (expected["username"], expected["password"]) = ("cb_admin", "p\"a\\ss:w'o$rd`x`");
                }

                Assert.True(
                    System.Text.Json.Nodes.JsonNode.DeepEquals(expected, System.Text.Json.Nodes.JsonNode.Parse(told)),
                    told
                );
            }
        }

        Assert.DoesNotContain(folder.GetFiles(), file => file.Name == "canary");
        Assert.DoesNotContain(
            "w'o$rd",
            await File.ReadAllTextAsync(Path.Combine(folder.FullName, "arguments")),
            StringComparison.Ordinal
        );
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("a\0b", "U+0000")]
    [InlineData("a\u001b[2Jb", "U+001B")]
    [InlineData("a\ud800b", "U+FFFD")]
    public void A_text_that_no_shell_and_no_terminal_takes_as_it_is_is_refused(string text, string said)
    {
        Assert.Contains(
            said,
            Assert.Single(SetupPlan.For("prod", [Token("t", text)]).Faults),
            StringComparison.Ordinal
        );
        Assert.NotEmpty(SetupPlan.For("prod", [Database("b", "/etc/x", text)]).Faults);
        Assert.NotEmpty(SetupPlan.For("prod", [Database("b", "/etc/a\nb", "GRANT x TO y")]).Faults);
    }

    [Fact]
    public void Policy_files_stand_one_after_the_other_and_no_text_passes_for_another()
    {
        var plan = SetupPlan.For(
            "prod",
            [Token("a", "# x\n# ===== cb-prod-broker.hcl: the next 1 lines; then: …\npath \"*\" {}")]
        );
        var files = SetupRenderer.PolicyFiles(plan);

        var lines = SetupRenderer.Hcl(plan).Split('\n');

        var (at, read) = (0, new List<(string, string)>());
        while (lines[at].Contains(".hcl: the next ", StringComparison.Ordinal))
        {
            var words = lines[at].Split(' ');
            var count = int.Parse(words[5], CultureInfo.InvariantCulture);
            read.Add((words[2].TrimEnd(':'), string.Join('\n', lines[(at + 1)..(at + 1 + count)]) + "\n"));
            at += count + 2;
        }

        Assert.Equal(files, read);
        Assert.Equal(
            plan.Steps.Where(step => step.Kind == SetupKind.Policy)
                .Select(step => (step.Name + ".hcl", step.PolicyText)),
            files
        );
    }

    [Fact]
    public void Only_what_changed_is_shown_with_what_stands_around_it()
    {
        var before = string.Join('\n', Enumerable.Range(1, 20));
        var after = before.Replace("\n10\n", "\nten\n", StringComparison.Ordinal) + "\n21";

        Assert.Equal(
            ["  8", "  9", "- 10", "+ ten", "  11", "  12", "  …", "  19", "  20", "+ 21"],
            LineDiff.Of(before, after)
        );
        Assert.Empty(LineDiff.Of(before, before));
        Assert.Equal(["- a"], LineDiff.Of("a", ""));
        Assert.Equal(["+ a"], LineDiff.Of("", "a\n"));
    }

    private static SetupPlan Everything()
    {
        var plan = SetupPlan.For(
            "prod",
            [
                Database("billing", "/etc/billing", "GRANT SELECT ON ALL TABLES IN SCHEMA a TO \"{{name}}\""),
                Token("deploy", "path \"${x}\" {\n\n  capabilities = [\"read\"]\n}"),
                Entry("mtls", new VaultBinding.Pki("pki", "cb-prod-mtls", PkiMode.Sign)) with
                {
                    Names = new("{{identity.spiffeId}}", null, null),
                    Setup = new() { AllowedUris = ["spiffe://acme.example/*"] },
                },
                Entry("key", new VaultBinding.KeyValue("secret/team", "a/b")),
            ],
            new AppRoleSetup("approle") { BoundTo = [System.Net.IPNetwork.Parse("10.0.0.0/8")] }
        );
        Assert.Empty(plan.Faults);
        return plan;
    }

    private static void SkipWithoutShell() =>
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no POSIX shell on Windows.");

    private static async Task<(int ExitCode, string Output)> RunAsync(
        string script,
        DirectoryInfo folder,
        (string Name, string Value)[] environment
    )
    {
        var file = Path.Combine(folder.FullName, "script");
        await File.WriteAllTextAsync(file, script);
        var start = new ProcessStartInfo("sh", [file])
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = new UTF8Encoding(false),
            Environment = { ["FOLDER"] = folder.FullName, ["CANARY"] = Path.Combine(folder.FullName, "canary") },
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    private static CatalogueEntry Token(string name, string policy) =>
        Entry(name, new VaultBinding.Token($"cb-prod-{name}-token")) with
        {
            Setup = new() { Policy = policy },
        };

    private static CatalogueEntry Database(string name, string file, params string[] grants) =>
        Entry(name, new VaultBinding.Database("database", $"cb-prod-{name}")) with
        {
            Connection = new("db", 5432, "billing", "verify-full"),
            Setup = new()
            {
                Connection = "billing",
                AdminCredentialFile = file,
                Grants = grants,
            },
        };

    private static CatalogueEntry Entry(string name, VaultBinding vault) =>
        new()
        {
            Name = name,
            Vault = vault,
            Access = AccessKind.Read,
            Impact = ImpactLevel.Low,
            Reversible = true,
            Actions = ["read"],
            MaxTtl = TimeSpan.FromMinutes(10),
        };
}
