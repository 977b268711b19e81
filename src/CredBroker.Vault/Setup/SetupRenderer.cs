using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Vault.Setup;

/// <summary>Prints a plan for people and for other tools. What a credential file holds is named, never shown.</summary>
public static class SetupRenderer
{
    private const string OfTheRoot =
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

    /// <summary>The policies as HCL, each under its name; everything else as the command line that writes it.</summary>
    public static string Hcl(SetupPlan plan)
    {
        var text = new StringBuilder();
        foreach (var step in plan.Steps)
        {
            if (step.Kind == SetupKind.Policy)
            {
                text.Append($"# bao policy write {step.Name} - <<'EOF'\n{step.PolicyText}# EOF\n\n");
                continue;
            }

            if (step.Kind == SetupKind.AuditedHeader)
            {
                text.Append($"# {OfTheRoot}\n");
            }

            text.Append($"# bao write {step.Path} - <<'EOF'\n");
            if (step.CredentialFile.Length > 0)
            {
                text.Append($"#   with \"username\" and \"password\" as in {step.CredentialFile}\n");
            }

            foreach (var line in Json(step.Body).Split('\n'))
            {
                text.Append($"# {line}\n");
            }

            text.Append("# EOF\n\n");
        }

        return text.Append(Notes(plan)).ToString();
    }

    /// <summary>Terraform for the provider hashicorp/vault. Credentials are sensitive variables.</summary>
    public static string Terraform(SetupPlan plan)
    {
        var text = new StringBuilder();
        var previous = "";
        foreach (var step in plan.Steps)
        {
            var label = Label(step);
            var resource = step.Kind == SetupKind.Policy ? "vault_policy" : "vault_generic_endpoint";
            var variables = "";
            if (step.CredentialFile.Length > 0)
            {
                text.Append(
                    $"variable \"{label}_username\" {{}}\nvariable \"{label}_password\" {{\n"
                        + $"  sensitive = true # as in {Escaped(step.CredentialFile)}\n}}\n\n"
                );
                variables = $", {{ username = var.{label}_username, password = var.{label}_password }}";
            }

            if (step.Kind == SetupKind.AuditedHeader)
            {
                text.Append(
                    $"# {OfTheRoot}\n# Where the provider has a namespace, give this one a provider of its own without one.\n"
                );
            }

            text.Append($"resource \"{resource}\" \"{label}\" {{\n");
            text.Append(
                step.Kind == SetupKind.Policy
                    ? $"  name   = \"{step.Name}\"\n  policy = <<-EOT\n"
                        + $"{Indented(Escaped(step.PolicyText.TrimEnd('\n')))}\n  EOT\n"
                    : $"  path                 = \"{step.Path}\"\n  ignore_absent_fields = true\n"
                        + $"  disable_read         = {(IsUnreadable(step) ? "true" : "false")}\n"
                        + "  disable_delete       = "
                        + $"{(step.Kind == SetupKind.CertificateAuthority ? "true" : "false")}\n"
                        + "  data_json = jsonencode(merge(jsondecode(<<-EOT\n"
                        + $"{Indented(Escaped(Json(step.Body)))}\n  EOT\n  ){variables}))\n"
            );
            text.Append(previous.Length == 0 ? "}\n\n" : $"  depends_on = [{previous}]\n}}\n\n");
            previous = $"{resource}.{label}";
        }

        return text.Append(Notes(plan)).ToString();
    }

    /// <summary>What cannot be compared by reading it back: it says other things than were written.</summary>
    private static bool IsUnreadable(SetupStep step) =>
        step.Kind
            is SetupKind.CertificateAuthority
                or SetupKind.DatabaseConnection
                or SetupKind.Mount
                or SetupKind.AuthMethod
                or SetupKind.AuditedHeader;

    private static string Notes(SetupPlan plan) => string.Concat(plan.Notes.Select(note => $"# {note}\n"));

    private static string Label(SetupStep step) =>
        string.Concat(
            $"{step.Kind}_{step.Path}".ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')
        );

    private static string Indented(string text) => "    " + text.Replace("\n", "\n    ", StringComparison.Ordinal);

    /// <summary>Terraform reads <c>${</c> and <c>%{</c> as its own.</summary>
    private static string Escaped(string text) =>
        text.Replace("${", "$${", StringComparison.Ordinal).Replace("%{", "%%{", StringComparison.Ordinal);

    private static string Json(JsonObject body)
    {
        using var stream = new MemoryStream();
        using (
            var writer = new Utf8JsonWriter(
                stream,
                new()
                {
                    Indented = true,
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
