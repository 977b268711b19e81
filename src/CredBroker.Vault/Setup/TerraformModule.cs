using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Vault.Setup;

/// <summary>
/// A plan as resources of Terraform's provider hashicorp/vault, laid out as <c>terraform fmt</c> does. Texts of the
/// catalogue stand in it as quoted texts only.
/// </summary>
internal sealed class TerraformModule
{
    private readonly TerraformWriter _writer = new();
    private readonly SetupPlan _plan;
    private readonly Dictionary<string, string> _labels = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    public TerraformModule(SetupPlan plan)
    {
        _plan = plan;
        _writer.Comment($"What the catalogue needs in Vault or OpenBao for the installation {plan.Installation}.");
        _writer.Comment(
            "For the provider hashicorp/vault. Import a mount, an auth method or a header that is there already."
        );
        _writer.Comment("Afterwards, credbroker vault check has each reaper tried, which Terraform does not.");
        foreach (var step in plan.Steps)
        {
            _labels[step.Path] = Label(step);
        }

        foreach (var step in plan.Steps)
        {
            Add(step);
        }

        foreach (var note in plan.Notes)
        {
            _writer.Comment(SetupText.Comment(note));
        }
    }

    /// <inheritdoc/>
    public override string ToString() => _writer.ToString();

    private void Add(SetupStep step)
    {
        switch (step.Kind)
        {
            case SetupKind.AuditedHeader:
                Resource(
                    step,
                    [("name", Text(step.Name))],
                    comments:
                    [
                        SetupRenderer.OfTheRoot,
                        "Where the provider has a namespace, give this one a provider of its own without one.",
                    ]
                );
                break;
            case SetupKind.Mount:
                Resource(step, MountOf(step), omit: ["type", "options", "config"]);
                break;
            case SetupKind.AuthMethod:
                Resource(step, [("path", Text(step.Name))]);
                break;
            case SetupKind.CertificateAuthority:
                Resource(step, [("backend", Mount(step.Name)), ("type", Text("internal"))]);
                break;
            case SetupKind.Policy:
                Resource(step, [("name", Text(step.Name))]);
                break;
            case SetupKind.TokenRole:
                Resource(step, [("role_name", Text(step.Name))]);
                break;
            case SetupKind.AppRole:
                Resource(
                    step,
                    [
                        ("backend", Reference($"sys/auth/{step.Path.Split("/role/")[0]["auth/".Length..]}", "path")),
                        ("role_name", Text(step.Name)),
                    ]
                );
                break;
            case SetupKind.DatabaseConnection:
                AddConnection(step);
                break;
            case SetupKind.DatabaseRole:
            case SetupKind.PkiRole:
                Resource(step, [("backend", Mount(Before(step, "/roles/"))), ("name", Text(step.Name))]);
                break;
        }
    }

    private static IEnumerable<(string Name, string Value)> MountOf(SetupStep step)
    {
        yield return ("path", Text(step.Name));
        yield return ("type", Text(step.Body["type"]));
        if (step.Body["options"] is JsonObject options)
        {
            var members = options.Select(option => $"{option.Key} = {Text(option.Value)}");
            yield return ("options", $"{{ {string.Join(", ", members)} }}");
        }

        // Vault takes hours, the provider seconds.
        if ((string?)step.Body["config"]?["max_lease_ttl"] is { } longest)
        {
            var hours = int.Parse(longest.TrimEnd('h'), CultureInfo.InvariantCulture);
            yield return ("max_lease_ttl_seconds", $"{hours * 3600}");
        }
    }

    private void AddConnection(SetupStep step)
    {
        var label = _labels[step.Path];
        foreach (var (name, isSecret) in new[] { ("username", false), ("password", true) })
        {
            _writer.Open($"variable \"{label}_{name}\"");
            _writer.Attribute("type", "string");
            _writer.Attribute("description", Text($"As in {step.CredentialFile}"));
            if (isSecret)
            {
                _writer.Attribute("sensitive", "true");
            }

            _writer.Close();
        }

        _writer.Open($"resource \"{Type(step.Kind)}\" \"{label}\"");
        _writer.Attribute("backend", Mount(Before(step, "/config/")));
        _writer.Attribute("name", Text(step.Name));
        Value("plugin_name", step.Body["plugin_name"]);
        Value("allowed_roles", step.Body["allowed_roles"]);
        _writer.OpenNested("postgresql");
        _writer.Attribute("username", $"var.{label}_username");
        _writer.Attribute("password", $"var.{label}_password");
        foreach (var (name, value) in step.Body.Where(member => member.Key is not ("plugin_name" or "allowed_roles")))
        {
            Value(name, value);
        }

        _writer.CloseNested();
        _writer.Close();
    }

    private void Resource(
        SetupStep step,
        IEnumerable<(string Name, string Value)> first,
        string[]? omit = null,
        string[]? comments = null
    )
    {
        _writer.Open($"resource \"{Type(step.Kind)}\" \"{_labels[step.Path]}\"", comments ?? []);
        foreach (var (name, value) in first)
        {
            _writer.Attribute(name, value);
        }

        foreach (var (name, value) in step.Body.Where(member => omit is null || !omit.Contains(member.Key)))
        {
            Value(name, value);
        }

        _writer.Close();
    }

    private void Value(string name, JsonNode? value)
    {
        switch (value)
        {
            case JsonArray items when name.EndsWith("_statements", StringComparison.Ordinal):
                _writer.List(name, [.. items.Select(item => (string?)item ?? "")]);
                break;
            case JsonArray items:
                _writer.Attribute(
                    name,
                    $"[{string.Join(", ", items.Select(item => Named(name, (string?)item ?? "")))}]"
                );
                break;
            case JsonValue when name == "policy":
                _writer.Lines(name, (string?)value ?? "");
                break;
            case JsonValue when name == "db_name":
                _writer.Attribute(name, Named(name, (string?)value ?? ""));
                break;
            default:
                _writer.Attribute(
                    name,
                    value!.GetValueKind() == JsonValueKind.String ? Text(value) : value.ToJsonString()
                );
                break;
        }
    }

    /// <summary>What is in the plan is referred to, so that it is made first.</summary>
    private string Named(string name, string value) =>
        name switch
        {
            "allowed_policies" or "token_policies" => Reference($"sys/policies/acl/{value}", "name", value),
            "db_name" => _plan.Steps.FirstOrDefault(step =>
                step.Kind == SetupKind.DatabaseConnection && step.Name == value
            )
                is { } connection
                ? Reference(connection.Path, "name")
                : Text(value),
            _ => Text(value),
        };

    private string Mount(string mount) => Reference($"sys/mounts/{mount}", "path", mount);

    private string Reference(string path, string attribute, string? otherwise = null) =>
        _plan.Steps.FirstOrDefault(step => step.Path == path) is { } step
            ? $"{Type(step.Kind)}.{_labels[path]}.{attribute}"
            : Text(otherwise ?? path);

    private static string Before(SetupStep step, string part) =>
        step.Path[..step.Path.LastIndexOf(part, StringComparison.Ordinal)];

    private static string Type(SetupKind kind) =>
        kind switch
        {
            SetupKind.AuditedHeader => "vault_audit_request_header",
            SetupKind.Mount => "vault_mount",
            SetupKind.AuthMethod => "vault_auth_backend",
            SetupKind.CertificateAuthority => "vault_pki_secret_backend_root_cert",
            SetupKind.Policy => "vault_policy",
            SetupKind.TokenRole => "vault_token_auth_backend_role",
            SetupKind.AppRole => "vault_approle_auth_backend_role",
            SetupKind.DatabaseConnection => "vault_database_secret_backend_connection",
            SetupKind.DatabaseRole => "vault_database_secret_backend_role",
            SetupKind.PkiRole => "vault_pki_secret_backend_role",
            _ => throw new NotSupportedException(kind.ToString()),
        };

    /// <summary>Names of Vault that differ in a mark only stay two.</summary>
    private string Label(SetupStep step)
    {
        var label = string.Concat(step.Name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        label = char.IsAsciiLetter(label[0]) ? label : $"_{label}";
        for (var (free, number) = (label, 2); ; free = $"{label}_{number++}")
        {
            if (_taken.Add($"{step.Kind}.{free}"))
            {
                return free;
            }
        }
    }

    private static string Text(JsonNode? value) => Text((string?)value ?? "");

    private static string Text(string value) => SetupText.Hcl(value);
}
