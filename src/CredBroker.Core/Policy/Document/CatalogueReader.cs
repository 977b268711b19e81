using System.Text.RegularExpressions;

namespace CredBroker.Core.Policy.Document;

/// <summary>Reads the entries of the catalogue.</summary>
internal sealed partial class CatalogueReader(PolicyDocument document, PolicyFaultList faults)
{
    /// <summary>Vault's own default maximum; a longer life would not be short.</summary>
    public static readonly TimeSpan LongestTtl = TimeSpan.FromHours(768);

    public CatalogueItem Read(YamlScalar name, YamlNode value)
    {
        var reader = new MappingReader(value, "a credential", faults);
        var (vault, setup) = new VaultBindingReader(faults).Read(reader.Need("vault"));
        var actions = reader.Texts(reader.Need("actions"), "actions");
        if (reader.Find("actions") is YamlSequence { Items.Count: 0 } none)
        {
            faults.Add(none, "`actions` is empty: nothing could be asked for");
        }

        var parameters = new ParameterReader(faults).Read(reader, vault);
        var entry = new CatalogueEntry
        {
            Name = name.Text,
            Vault = vault,
            Setup = setup,
            Access = reader.Choice(
                "access",
                null,
                ("read", AccessKind.Read),
                ("write", AccessKind.Write),
                ("external", AccessKind.External),
                ("privileged", AccessKind.Privileged)
            ),
            Impact = reader.Choice(
                "impact",
                null,
                ("low", ImpactLevel.Low),
                ("medium", ImpactLevel.Medium),
                ("high", ImpactLevel.High)
            ),
            Reversible = reader.Flag("reversible"),
            Actions = [.. actions.Select(action => action.Text)],
            MaxTtl = reader.Duration(reader.Need("maxTtl"), "maxTtl", LongestTtl) ?? LongestTtl,
            Category = reader.TextOrNull("category") ?? "",
            Connection = Only<VaultBinding.Database>(reader, "connection", vault) is { } connection
                ? ReadConnection(connection)
                : null,
            Names = ReadNames(reader, vault),
            Params = parameters.Count == 0 ? null : [.. parameters.Keys],
            Address = ReadAddress(reader, vault),
        };
        if (vault is VaultBinding.Token)
        {
            var paths = OtherThanValues(entry.Setup?.Policy ?? "");
            entry = entry with
            {
                MayMakeMore = paths is not { Count: 0 },
                MakesMoreAt = paths is { Count: > 0 } ? paths : null,
            };
        }

        var schemas = ReadSchemas(reader);
        var needsCall = reader.Choice("toolCall", absent: true, ("required", true), ("optional", false));
        if (schemas is null && reader.Find("toolCall") is { } stray)
        {
            faults.Add(
                stray,
                "`toolCall` is of a credential with `toolSchemas`: without them no tool call is looked at"
            );
        }

        reader.Finish("a credential");
        return new(
            entry,
            schemas,
            toolCallIsOptional: !needsCall,
            parameters.ToDictionary(pair => pair.Key.Name, pair => pair.Value, StringComparer.Ordinal)
        );
    }

    /// <summary>
    /// The paths of this policy that are not those of a KV version 2 engine; null where it has none at all, or what it
    /// says is not all understood.
    /// </summary>
    private static List<string>? OtherThanValues(string policy)
    {
        var paths = PathRule().Matches(policy);
        return paths.Count == 0 || policy.Count(character => character == '{') != paths.Count
            ? null
            :
            [
                .. paths
                    .Select(path => path.Groups["path"].Value)
                    .Where(path =>
                        path.Split('/') is not { Length: > 2 } segments || segments[1] is not ("data" or "metadata")
                    ),
            ];
    }

    [GeneratedRegex(
        @"(^|[\s}])path\s+""(?<path>[^""]*)""",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex PathRule();

    private string ReadAddress(MappingReader reader, VaultBinding vault)
    {
        if (reader.Scalar(Only<VaultBinding.Token>(reader, "address", vault), "address") is not { } scalar)
        {
            return "";
        }

        if (!Uri.TryCreate(scalar.Text, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http"))
        {
            faults.Add(
                scalar,
                "`address` must be the address of the Vault that accepts the token, "
                    + "such as https://vault.acme.example:8200"
            );
        }

        return scalar.Text;
    }

    private YamlNode? Only<T>(MappingReader reader, string key, VaultBinding vault)
    {
        var value = reader.Find(key);
        if (value is not null && vault is not T)
        {
            faults.Add(value, $"a credential of the engine {vault.Engine} takes no `{key}`");
        }

        return value;
    }

    private DatabaseConnection ReadConnection(YamlNode value)
    {
        var reader = new MappingReader(value, "a connection", faults);
        var mode = reader.Choice<int>(
            "sslmode",
            absent: 5,
            ("disable", 0),
            ("allow", 1),
            ("prefer", 2),
            ("require", 3),
            ("verify-ca", 4),
            ("verify-full", 5)
        );
        string[] modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
        var connection = new DatabaseConnection(
            reader.Text("host"),
            reader.Integer("port", 1, 65535),
            reader.Text("database"),
            modes[mode]
        )
        {
            AcceptsPreparedTransactions = reader.FlagOrFalse("acceptsPreparedTransactions"),
        };
        reader.Finish("a connection");
        return connection;
    }

    private CertificateNames? ReadNames(MappingReader owner, VaultBinding vault)
    {
        var value = Only<VaultBinding.Pki>(owner, "names", vault);
        if (value is null)
        {
            if (vault is VaultBinding.Pki)
            {
                faults.Add(owner.Node, "`names` is missing: Vault would sign a certificate without any name");
            }

            return null;
        }

        var reader = new MappingReader(value, "names", faults);
        var names = new CertificateNames(
            Template(reader, "uri", NameTemplate.FaultOf),
            Template(reader, "dns", NameTemplate.FaultOfHost),
            Template(reader, "commonName", NameTemplate.FaultOf)
        );
        if (reader.IsMapping && names is { Uri: null, Dns: null, CommonName: null })
        {
            faults.Add(value, "`names` needs at least one of uri, dns, commonName");
        }

        reader.Finish("names");
        return names;
    }

    private string? Template(MappingReader reader, string key, Func<string, string?> faultOf)
    {
        if (reader.Scalar(reader.Find(key), key) is not { } scalar)
        {
            return null;
        }

        if (faultOf(scalar.Text) is { } fault)
        {
            faults.Add(scalar, $"`{key}`: {fault}");
        }

        return scalar.Text;
    }

    private Dictionary<string, ArgumentSchema>? ReadSchemas(MappingReader owner)
    {
        if (owner.Find("toolSchemas") is not { } value)
        {
            return null;
        }

        var schemas = new Dictionary<string, ArgumentSchema>(StringComparer.Ordinal);
        if (value is not YamlMapping mapping)
        {
            faults.Add(value, $"`toolSchemas` must be a mapping from tools to files, not {value.Kind}");
            return schemas;
        }

        foreach (var (tool, file) in mapping.Entries)
        {
            var found = new List<string>();
            var name = owner.Scalar(file, "toolSchemas")?.Text ?? "";
            var schema = SchemaFileName.FaultOf(name) switch
            {
                { } fault => Fail(fault),
                null when document.Schemas.TryGetValue(name, out var text) => ArgumentSchema.Load(text, found),
                null => Fail($"there is no file {name} beside the policy"),
            };
            foreach (var message in found)
            {
                faults.Add(file, $"{name}: {message}");
            }

            if (!schemas.TryAdd(tool.Text, schema!))
            {
                faults.Add(tool, $"`{tool.Text}` stands in `toolSchemas` twice");
            }

            ArgumentSchema? Fail(string message)
            {
                faults.Add(file, message);
                return null;
            }
        }

        return schemas;
    }
}
