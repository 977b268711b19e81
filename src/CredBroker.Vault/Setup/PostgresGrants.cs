using System.Text.RegularExpressions;

namespace CredBroker.Vault.Setup;

/// <summary>
/// The catalogue's grants as a mint makes them. A grant on all tables (sequences, functions) is made one by one. What an
/// agent made is left out until its lease is over, so that it stops nobody else's user: its maker may forbid the grant,
/// or keep it waiting by a grant of their own that they do not commit. Anything else that may not be given away stops the
/// user, by its name.
/// </summary>
internal static partial class PostgresGrants
{
    /// <summary>The statements of one grant of the catalogue, which Vault takes apart at its semicolons, too.</summary>
    public static IEnumerable<string> Statements(string grant) =>
        IsPlain(grant)
            ? grant
                .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(statement => OnAll().Match(statement) is { Success: true } all ? OneByOne(all) : statement)
            : [grant];

    /// <summary>Whether it is on all of something in a way that nobody here can take apart.</summary>
    public static bool IsMadeAsWritten(string grant) =>
        Statements(grant)
            .Any(statement => !statement.StartsWith("DO ", StringComparison.Ordinal) && SaysAll().IsMatch(statement));

    /// <summary>The schemas in a list, as PostgreSQL's catalogue has them: a name without quotes is in lower case.</summary>
    public static IEnumerable<string> Schemas(string list) =>
        list.Split(',', StringSplitOptions.TrimEntries)
            .Select(name => name is ['"', .., '"'] quoted ? quoted[1..^1] : name.ToLowerInvariant());

    private static string OneByOne(Match all)
    {
        var (schemas, option) = (all.Groups["schemas"].Value, all.Groups["option"].Success ? " WITH GRANT OPTION" : "");
        return $$$"""
            DO $$ DECLARE object text; path text := pg_catalog.current_setting('search_path'); BEGIN
              SET LOCAL search_path = pg_catalog;
              {{{string.Join(' ', schemas.Split(',').Select(name => $"PERFORM '{name.Trim()}'::regnamespace;"))}}}
              FOR object IN
                {{{Objects(all.Groups["kind"].Value.ToUpperInvariant())}}}
                  AND nspname IN ({{{string.Join(", ", Schemas(schemas).Select(name => $"'{name}'"))}}})
              LOOP
                EXECUTE format('GRANT {{{all.Groups[
                "privileges"
            ].Value.Trim()}}} ON %s TO %I{{{option}}}', object, '{{name}}');
              END LOOP;
              -- The operator's next grant may name a table without its schema.
              PERFORM set_config('search_path', path, true);
            END $$;
            """;
    }

    private static string Objects(string kind) =>
        kind switch
        {
            "TABLES" => Relations("TABLE", "IN ('r', 'p', 'v', 'm', 'f')"),
            "SEQUENCES" => Relations("SEQUENCE", "= 'S'"),
            "FUNCTIONS" => Routines("<> 'p'"),
            "PROCEDURES" => Routines("= 'p'"),
            _ => Routines("IS NOT NULL"),
        };

    private static string Relations(string kind, string which) =>
        $"""
            SELECT format('{kind} %s', c.oid::regclass) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relkind {which} AND pg_get_userbyid(relowner) !{PostgresStatements.Issued}
            """;

    private static string Routines(string which) =>
        $"""
            SELECT format('ROUTINE %s', p.oid::regprocedure) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
            WHERE prokind {which} AND pg_get_userbyid(proowner) !{PostgresStatements.Issued}
            """;

    /// <summary>Nothing in it is a text, a block or a comment, so that each semicolon ends a statement.</summary>
    private static bool IsPlain(string grant) =>
        !Array.Exists(["'", "$", "--", "/*"], mark => grant.Contains(mark, StringComparison.Ordinal));

    [GeneratedRegex(
        """\A\s*GRANT\s+(?<privileges>[A-Z][A-Z ,]*)\s+ON\s+ALL\s+(?<kind>TABLES|SEQUENCES|FUNCTIONS|PROCEDURES|ROUTINES)"""
            + """\s+IN\s+SCHEMA\s+(?<schemas>(?:[a-z_][a-z0-9_]*|"[A-Za-z0-9_ -]+")"""
            + """(?:\s*,\s*(?:[a-z_][a-z0-9_]*|"[A-Za-z0-9_ -]+"))*)\s+TO\s+"?\{\{name\}\}"?"""
            + """(?<option>\s+WITH\s+GRANT\s+OPTION)?\s*\z""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex OnAll();

    /// <summary>A grant on all of something, however it is written.</summary>
    [GeneratedRegex(
        """\bON\s+ALL\s+(?:TABLES|SEQUENCES|FUNCTIONS|PROCEDURES|ROUTINES)\s+IN\s+SCHEMA\s+(?<schemas>[^;]+?)\s+TO\b""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    public static partial Regex SaysAll();
}
