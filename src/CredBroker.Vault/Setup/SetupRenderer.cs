using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Vault.Setup;

/// <summary>Prints a plan for people and for other tools. What a credential file holds is named, never shown.</summary>
public static class SetupRenderer
{
    internal const string OfTheRoot =
        "Of the whole Vault: it is made in the root namespace, by an operator of that one, whatever namespace the rest is for.";

    /// <summary>The HTTP calls, in their order.</summary>
    public static string ApiCalls(SetupPlan plan)
    {
        var text = new StringBuilder();
        foreach (var step in plan.Steps)
        {
            var body = step.Body.DeepClone().AsObject();
            if (step.CredentialFile.Length > 0)
            {
                body["username"] = $"<user in {step.CredentialFile}>";
                body["password"] = $"<password in {step.CredentialFile}>";
            }

            if (step.Kind == SetupKind.CertificateAuthority)
            {
                text.Append(
                    $"# Only where LIST /v1/{step.Name}/issuers answers 404: the mount has no authority yet.\n"
                );
            }

            if (step.Kind == SetupKind.AuditedHeader)
            {
                text.Append($"# {OfTheRoot}\n");
            }

            text.Append($"POST /v1/{step.Path}\n{Json(body)}\n\n");
        }

        return text.Append(Notes(plan)).ToString();
    }

    /// <summary>The policies as HCL, one file each, by the file's name.</summary>
    public static IReadOnlyList<(string File, string Text)> PolicyFiles(SetupPlan plan) =>
        [
            .. plan
                .Steps.Where(step => step.Kind == SetupKind.Policy)
                .Select(step => ($"{step.Name}.hcl", step.PolicyText)),
        ];

    /// <summary>
    /// The same one after the other, each below a line that names its file and says how many lines follow: no text of a
    /// policy can pass for the next one's.
    /// </summary>
    public static string Hcl(SetupPlan plan)
    {
        var text = new StringBuilder();
        foreach (var (file, policy) in PolicyFiles(plan))
        {
            var lines = policy.Count(c => c == '\n');
            text.Append(
                $"# ===== {file}: the next {lines} lines; then: bao policy write {file[..^".hcl".Length]} {file}\n"
                    + $"{policy}\n"
            );
        }

        return text.Append(
                "# ===== These are the policies alone. Mounts, roles and connections: --format sh, terraform or calls.\n"
            )
            .ToString();
    }

    /// <summary>A POSIX shell script of <c>bao</c> (or <c>vault</c>) commands that makes it all. It holds no secret.</summary>
    public static string Shell(SetupPlan plan) => new ShellScript(plan).ToString();

    /// <summary>Terraform for the provider hashicorp/vault. Credentials are sensitive variables.</summary>
    public static string Terraform(SetupPlan plan) => new TerraformModule(plan).ToString();

    /// <summary>What is left to the operator, as comments.</summary>
    internal static string Notes(SetupPlan plan) =>
        string.Concat(plan.Notes.Select(note => $"# {SetupText.Comment(note)}\n"));

    internal static string Json(JsonObject body, bool indented = true)
    {
        using var stream = new MemoryStream();
        using (
            var writer = new Utf8JsonWriter(
                stream,
                new()
                {
                    Indented = indented,
                    NewLine = "\n",
                    Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
                }
            )
        )
        {
            body.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
