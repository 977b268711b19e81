using System.Text.RegularExpressions;
using CredBroker.Core.Policy;

namespace CredBroker.Vault.Setup;

/// <summary>
/// Finds schemas in which one credential may create tables while another is granted all tables: what an agent makes there
/// is nobody's to give away but its own, and another agent's user reads it or does without.
/// </summary>
internal static partial class SharedSchemas
{
    /// <summary>One sentence for each such schema.</summary>
    public static IEnumerable<string> Warnings(IEnumerable<CatalogueEntry> entries)
    {
        var grants = entries
            .Where(entry => entry is { Vault: VaultBinding.Database, Setup: not null })
            .SelectMany(entry => entry.Setup!.Grants.Select(grant => (entry.Name, entry.Setup.Connection, Text: grant)))
            .ToList();
        return from create in grants
            from schema in Schemas(Creating().Match(create.Text))
            join all in grants.SelectMany(grant =>
                Schemas(AllTables().Match(grant.Text)).Select(schema => (grant.Name, grant.Connection, Schema: schema))
            )
                on (create.Connection, schema) equals (all.Connection, all.Schema)
            group all.Name by (create.Connection, schema, create.Name) into met
            orderby met.Key
            select $"Connection {met.Key.Connection}: {met.Key.Name} may CREATE in the schema {met.Key.schema}, in which "
                + $"{string.Join(", ", met.Distinct().Order(StringComparer.Ordinal))} may use ALL TABLES. A table that "
                + "an agent makes there is left out of other users' grants until its lease is over. Give what agents "
                + "make a schema of its own.";
    }

    private static IEnumerable<string> Schemas(Match match) =>
        match.Success
            ? match
                .Groups["schemas"]
                .Value.Split(',')
                .Select(name => name.Trim() is ['"', .., '"'] quoted ? quoted[1..^1] : name.Trim().ToLowerInvariant())
            : [];

    [GeneratedRegex(
        """\bGRANT\s+(ALL|[^;]*\bCREATE\b)[^;]*\bON\s+SCHEMA\s+(?<schemas>[^;]+?)\s+TO\b""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex Creating();

    [GeneratedRegex(
        """\bON\s+ALL\s+TABLES\s+IN\s+SCHEMA\s+(?<schemas>[^;]+?)\s+TO\b""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex AllTables();
}
