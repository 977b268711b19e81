using System.Text;
using CredBroker.Core.Policy;
using CredBroker.Vault.Setup;

namespace CredBroker.UnitTests.Vault;

/// <content>Terraform's layout and texts.</content>
public sealed partial class SetupRenderingTests
{
    [Fact]
    public void Terraform_reads_every_text_back_as_it_was()
    {
        Assert.All(Texts(2000), text => Assert.Equal(text, ReadHcl(SetupText.Hcl(text))));
        Assert.Equal("\"$${a} %%{b} \\u0024$${c} $$ $\"", SetupText.Hcl("${a} %{b} $${c} $$ $"));
    }

    [Fact]
    public void Terraform_is_laid_out_as_its_own_fmt_does()
    {
        var text = SetupRenderer.Terraform(Everything());

        AssertLaidOut(text);
        string[] types =
        [
            "vault_audit_request_header",
            "vault_mount",
            "vault_auth_backend",
            "vault_pki_secret_backend_root_cert",
            "vault_policy",
            "vault_token_auth_backend_role",
            "vault_approle_auth_backend_role",
            "vault_database_secret_backend_connection",
            "vault_database_secret_backend_role",
            "vault_pki_secret_backend_role",
        ];
        Assert.All(types, type => Assert.Contains($"\nresource \"{type}\" \"", text, StringComparison.Ordinal));
        Assert.DoesNotContain("generic_endpoint", text, StringComparison.Ordinal);
        Assert.Contains(
            """
            resource "vault_token_auth_backend_role" "cb_prod_probe" {
              role_name               = "cb-prod-probe"
              allowed_policies        = [vault_policy.cb_prod_probe.name]
              orphan                  = true
              renewable               = true
              token_explicit_max_ttl  = 300
              token_no_default_policy = true
              token_type              = "service"
            }

            resource "vault_policy" "cb_prod_broker" {
              name = "cb-prod-broker"
              policy = join("\n", [
            """.ReplaceLineEndings("\n"),
            text,
            StringComparison.Ordinal
        );
        Assert.Contains("backend = vault_mount.database.path", text.Replace("  ", " ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Terraform_fmt_itself_changes_nothing()
    {
        Assert.SkipWhen(
            !(Environment.GetEnvironmentVariable("PATH") ?? "")
                .Split(Path.PathSeparator)
                .Any(folder => File.Exists(Path.Combine(folder, "terraform"))),
            "No terraform on PATH."
        );
        var folder = Directory.CreateTempSubdirectory("credbroker-tf-");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "main.tf"), SetupRenderer.Terraform(Everything()));

        var (exitCode, output) = await RunAsync(
            "terraform fmt -check -diff",
            folder,
            [("TF_CLI_CONFIG_FILE", ""), ("CHECKPOINT_DISABLE", "1")]
        );

        Assert.True(exitCode == 0, output);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Names_that_differ_in_a_mark_only_are_two_resources()
    {
        var text = SetupRenderer.Terraform(
            SetupPlan.For("prod", [Token("a.b", "# x"), Token("a-b", "# y"), Token("a_b", "# z")])
        );

        string[] headers = [.. text.Split('\n').Where(line => line.StartsWith("resource ", StringComparison.Ordinal))];
        Assert.Equal(headers.Distinct(), headers);
    }

    /// <summary>The rules of the layout: of hclwrite's format, by which terraform fmt goes.</summary>
    private static void AssertLaidOut(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var (depth, signs, previous) = (0, new List<(string Line, int Column)>(), "");
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            Assert.Equal(line.TrimEnd(), line);
            Assert.False(line.Length == 0 && previous.Length == 0, "two empty lines");
            var bare = WithoutTexts(line);
            var trimmed = bare.TrimStart();
            var opened = bare.Count(c => c is '{' or '[' or '(') - bare.Count(c => c is '}' or ']' or ')');
            if (!trimmed.StartsWith('#'))
            {
                depth -= opened < 0 ? 1 : 0;
                if (line.Length > 0)
                {
                    Assert.Equal(depth * 2, line.Length - line.TrimStart().Length);
                }

                depth += opened > 0 ? 1 : 0;
                var sign = bare.IndexOf(" = ", StringComparison.Ordinal);
                if (opened == 0 && sign > 0 && !trimmed.StartsWith('"'))
                {
                    signs.Add((line, sign));
                    previous = line;
                    continue;
                }

                Assert.False(opened > 0 && sign > 0 && bare[..sign].EndsWith(' '), line);
            }

            AssertAligned(signs);
            signs.Clear();
            previous = line;
        }

        Assert.Equal(0, depth);

        static void AssertAligned(List<(string Line, int Column)> signs)
        {
            if (signs.Count > 0)
            {
                var widest = signs.Max(sign => sign.Line[..sign.Column].TrimEnd().Length);
                Assert.All(signs, sign => Assert.True(sign.Column == widest, sign.Line));
            }
        }
    }

    private static string WithoutTexts(string line)
    {
        var (bare, isText) = (new StringBuilder(), false);
        for (var i = 0; i < line.Length; i++)
        {
            isText ^= line[i] == '"';
            bare.Append(isText ? 'x' : line[i]);
            if (isText && line[i] == '\\')
            {
                i++;
            }
        }

        return bare.ToString();
    }

    /// <summary>A quoted text by the rules of HCL's specification, which knows no template here.</summary>
    private static string ReadHcl(string quoted)
    {
        Assert.True(quoted is ['"', .., '"']);
        var text = new StringBuilder();
        for (var i = 1; i < quoted.Length - 1; i++)
        {
            var c = quoted[i];
            Assert.False(char.IsControl(c) || c == '"');
            if (c == '\\')
            {
                switch (quoted[++i])
                {
                    case 'n':
                        text.Append('\n');
                        break;
                    case 'r':
                        text.Append('\r');
                        break;
                    case 't':
                        text.Append('\t');
                        break;
                    case 'u':
                        text.Append((char)Convert.ToInt32(quoted[(i + 1)..(i + 5)], 16));
                        i += 4;
                        break;
                    case var other:
                        Assert.True(other is '"' or '\\');
                        text.Append(other);
                        break;
                }
            }
            else if (c is '$' or '%' && quoted[i + 1] == c && quoted[i + 2] == '{')
            {
                text.Append(c).Append('{');
                i += 2;
            }
            else
            {
                Assert.False(c is '$' or '%' && quoted[i + 1] == '{', quoted);
                text.Append(c);
            }
        }

        return text.ToString();
    }
}
