using System.Text.RegularExpressions;
using CredBroker.Storage.Sql;

namespace CredBroker.Storage.Upkeep;

/// <summary>
/// The SQL by which a database administrator makes a PostgreSQL store's database, its schema, and the user that the broker
/// logs in as, who has rights on that schema alone. It holds no password: psql asks for it.
/// </summary>
public sealed partial record StoreRights
{
    /// <summary>The database that it makes.</summary>
    public required string Database { get; init; }

    /// <summary>The schema that it makes there.</summary>
    public required string Schema { get; init; }

    /// <summary>The user that the broker logs in as.</summary>
    public required string User { get; init; }

    /// <summary>
    /// Another user, who owns the tables and migrates them; null where the broker's does. Then the broker can write rows,
    /// and not take away what keeps the audit log append-only.
    /// </summary>
    public string? Owner { get; init; }

    /// <summary>Whether a name can stand in the script: what is in it means the same quoted and not.</summary>
    public static bool IsName(string name) => Name().IsMatch(name);

    /// <summary>The script, for psql.</summary>
    /// <exception cref="ArgumentException">A name is none.</exception>
    public string Script()
    {
        foreach (var name in new[] { Database, Schema, User, Owner ?? User })
        {
            if (!IsName(name))
            {
                throw new ArgumentException($"\"{name}\" is no name of PostgreSQL's that the script can hold.");
            }
        }

        var (database, schema, user) = (SqlTables.Quoted(Database), SqlTables.Quoted(Schema), SqlTables.Quoted(User));
        var owner = Owner is null ? user : SqlTables.Quoted(Owner);
        var roles = Owner is null ? [user] : new[] { owner, user };
        string[] lines =
        [
            "-- Makes the database and the schema of a CredBroker store, and who may use them: "
                + (
                    Owner is null
                        ? "the broker's user."
                        : "the tables' owner, who migrates them, and the broker's user."
                ),
            "-- They have rights on that schema alone. Run it once, as an administrator who may make databases and roles:",
            "--   psql --no-psqlrc --file rights.sql \"host=db.example.com dbname=postgres user=postgres\"",
            "-- At its end psql asks for the new passwords, and sends the server what they verify by, not themselves.",
            "\\set ON_ERROR_STOP on",
            $"CREATE DATABASE {database} ENCODING 'UTF8' TEMPLATE template0;",
            $"\\connect {database}",
            "BEGIN;",
            .. roles.Select(role =>
                $"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT "
                + "CONNECTION LIMIT 30;"
            ),
            "-- Who is not named neither connects here nor makes a table, not even a temporary one.",
            $"REVOKE ALL ON DATABASE {database} FROM PUBLIC;",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
            $"GRANT CONNECT ON DATABASE {database} TO {string.Join(", ", roles)};",
            "-- An administrator who is no superuser gives a schema to a role only as its member.",
            $"GRANT {owner} TO CURRENT_USER;",
            $"CREATE SCHEMA {schema} AUTHORIZATION {owner};",
            .. Owner is null
                ? []
                : new[]
                {
                    $"GRANT USAGE ON SCHEMA {schema} TO {user};",
                    $"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}",
                    $"  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {user};",
                },
            $"REVOKE {owner} FROM CURRENT_USER;",
            .. roles.Select(role => $"ALTER ROLE {role} IN DATABASE {database} SET search_path = {schema};"),
            "COMMIT;",
            .. roles.Select(role => $"\\password {role}"),
        ];
        return string.Join('\n', lines) + "\n";
    }

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]{0,62}\z")]
    private static partial Regex Name();
}
