namespace CredBroker.Core.Policy.Document;

/// <summary>Names of schema files: relative to the policy's own folder, and never out of it.</summary>
internal static class SchemaFileName
{
    /// <summary>More files than this are not read.</summary>
    private const int Most = 1_000;

    /// <summary>What is wrong with the name, or null.</summary>
    public static string? FaultOf(string name) =>
        name.Length is > 0 and <= 200
        && name.Split('/')
            .All(part =>
                part.Length > 0
                && part is not ("." or "..")
                && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            )
            ? null
            : "a schema's file is named relative to the policy's folder, "
                + "with letters, digits and - _ . / alone, and without ..";

    /// <summary>
    /// The acceptable names under <c>credentials.*.toolSchemas</c>; none where the text is no policy.
    /// </summary>
    public static IReadOnlyList<string> NamedIn(string text) =>
        [
            .. Under([YamlTree.Read(text, new PolicyFaultList())], "credentials")
                .SelectMany(Values)
                .SelectMany(credential => Under([credential], "toolSchemas"))
                .SelectMany(Values)
                .OfType<YamlScalar>()
                .Select(file => file.Text)
                .Where(name => FaultOf(name) is null)
                .Distinct(StringComparer.Ordinal)
                .Take(Most),
        ];

    private static IEnumerable<YamlNode> Under(IEnumerable<YamlNode?> nodes, string key) =>
        nodes
            .OfType<YamlMapping>()
            .SelectMany(mapping => mapping.Entries)
            .Where(entry => entry.Key.Text == key)
            .Select(entry => entry.Value);

    private static IEnumerable<YamlNode> Values(YamlNode node) =>
        (node as YamlMapping)?.Entries.Select(entry => entry.Value) ?? [];
}
