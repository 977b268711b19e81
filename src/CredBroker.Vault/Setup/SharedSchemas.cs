using System.Text.RegularExpressions;
using CredBroker.Core.Policy;

namespace CredBroker.Vault.Setup;

/// <summary>
/// Finds schemas in which one credential may create and another is granted all that there is: what an agent makes there
/// is nobody's to give away but its own, and another agent's user does without, or cannot be made.
/// </summary>
internal static partial class SharedSchemas
{
    /// <summary>One sentence for each such schema, and for each grant that setup cannot take apart.</summary>
    public static IEnumerable<string> Warnings(IEnumerable<CatalogueEntry> entries)
    {
        var grants = entries
            .Where(entry => entry is { Vault: VaultBinding.Database, Setup: not null })
            .SelectMany(entry => entry.Setup!.Grants.Select(grant => (entry.Name, entry.Setup.Connection, Text: grant)))
            .ToList();
        var whole = grants
            .Where(grant => PostgresGrants.IsMadeAsWritten(grant.Text))
            .Select(grant =>
                $"Credential {grant.Name}: `{grant.Text}` is made as it is written, not one by one. Once an agent owns "
                + "something there it fails for everybody. Write GRANT … ON ALL … IN SCHEMA a, b TO \"{{name}}\" by itself."
            );
        var shared =
            from create in grants
            from schema in Schemas(Creating().Matches(create.Text))
            join all in grants.SelectMany(grant =>
                Schemas(PostgresGrants.SaysAll().Matches(grant.Text))
                    .Select(schema => (grant.Name, grant.Connection, Schema: schema))
            )
                on (create.Connection, schema) equals (all.Connection, all.Schema)
            group all.Name by (create.Connection, schema, create.Name) into met
            orderby met.Key
            select $"Connection {met.Key.Connection}: {met.Key.Name} may CREATE in the schema {met.Key.schema}, in which "
                + $"{string.Join(", ", met.Distinct().Order(StringComparer.Ordinal))} may use ALL there is of a kind. What "
                + "an agent makes there is left out of other users' grants until its lease is over. Give what agents "
                + "make a schema of its own.";
        return whole.Concat(shared);
    }

    private static IEnumerable<string> Schemas(MatchCollection matches) =>
        matches.SelectMany(match => PostgresGrants.Schemas(match.Groups["schemas"].Value));

    [GeneratedRegex(
        """\bGRANT\s+(ALL|[^;]*\bCREATE\b)[^;]*\bON\s+SCHEMA\s+(?<schemas>[^;]+?)\s+TO\b""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex Creating();
}
