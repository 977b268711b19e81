using System.Text.RegularExpressions;
using CredBroker.Cel.Patterns;

namespace CredBroker.Core.Policy.Document;

/// <summary>Reads the parameters of an entry's path, and holds them against the path.</summary>
internal sealed class ParameterReader(PolicyFaultList faults)
{
    /// <summary>Each with what its whole value has to match.</summary>
    public IReadOnlyDictionary<CatalogueParameter, Regex> Read(MappingReader entry, VaultBinding vault)
    {
        var read = new Dictionary<CatalogueParameter, Regex>();
        var used = vault is VaultBinding.KeyValue kv ? PathTemplate.NamesIn(kv.Path).ToHashSet() : [];
        var value = entry.Find("params");
        if (value is not null && vault is not VaultBinding.KeyValue)
        {
            faults.Add(value, $"a credential of the engine {vault.Engine} takes no `params`");
            return read;
        }

        if (value is not null and not YamlMapping { Entries.Count: > 0 and <= CatalogueParameter.Most })
        {
            faults.Add(value, $"`params` must be a mapping of 1 to {CatalogueParameter.Most} names");
            return read;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, says) in (value as YamlMapping)?.Entries ?? [])
        {
            if (!CatalogueParameter.IsName(name.Text))
            {
                faults.Add(name, "a parameter's name is a letter, then letters, digits or _, at most 32");
            }
            else if (!used.Contains(name.Text))
            {
                faults.Add(name, $"the path has no {{{name.Text}}}");
            }

            var reader = new MappingReader(says, "a parameter", faults);
            var pattern = reader.Scalar(reader.Need("pattern"), "pattern");
            reader.Finish("a parameter");
            if (!seen.Add(name.Text))
            {
                faults.Add(name, $"`{name.Text}` stands in `params` twice");
            }
            else if (pattern is not null && Compile(pattern) is { } regex)
            {
                read.Add(new(name.Text, pattern.Text), regex);
            }
        }

        foreach (var name in used.Except(seen))
        {
            faults.Add(
                value ?? entry.Node,
                $"`params` says nothing of {{{name}}}: say what its whole value has to match, "
                    + $"as in {{ {name}: {{ pattern: \"[a-z0-9-]{{1,40}}\" }} }}"
            );
        }

        return read;
    }

    private Regex? Compile(YamlScalar pattern)
    {
        // By itself first: a parenthesis too many would otherwise close the one that is put around it.
        if (
            SafePattern.TryCompile(pattern.Text, out _, out var fault)
            && SafePattern.TryCompile($"^({pattern.Text})$", out var regex, out fault)
        )
        {
            return regex;
        }

        faults.Add(pattern, $"`pattern`: {fault}");
        return null;
    }
}
