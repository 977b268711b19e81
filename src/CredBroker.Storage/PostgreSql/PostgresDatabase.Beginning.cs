using System.Data;
using CredBroker.Core.State;
using CredBroker.Storage.Sql;
using DbUp;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <content>What is looked at, and taken, before the schema is used.</content>
internal sealed partial class PostgresDatabase
{
    // Who may not make tables uses those that its owner has made.
    private static (string Schema, bool MayChange) FindSchema(NpgsqlConnectionStringBuilder settings, string place)
    {
        using var connection = new NpgsqlConnection(Writing(settings));
        connection.Open();
        using var command = new NpgsqlCommand(
            """
            SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_schema(),
              has_schema_privilege(current_schema(), 'CREATE'),
              has_table_privilege(to_regclass(quote_ident(current_schema()) || '.schemaversions'), 'SELECT')
            """,
            connection
        );
        using var row = command.ExecuteReader();
        row.Read();
        if (row.GetInt32(0) < OldestVersion)
        {
            throw new StoreUnavailableException(
                $"The store cannot use PostgreSQL ({place}): it is older than version {OldestVersion / 10_000}."
            );
        }

        if (row.GetString(1) != "UTF8")
        {
            throw new StoreUnavailableException(
                $"The store cannot use PostgreSQL ({place}): its encoding is {row.GetString(1)}. "
                    + "Make the database with ENCODING 'UTF8'."
            );
        }

        return !row.IsDBNull(2) && (row.GetBoolean(3) || (!row.IsDBNull(4) && row.GetBoolean(4)))
            ? (row.GetString(2), row.GetBoolean(3))
            : throw new StoreUnavailableException(
                $"The store cannot use PostgreSQL ({place}): its user has no schema to make tables in. "
                    + "credbroker store rights prints the SQL that makes both; or as the "
                    + $"database's owner: CREATE SCHEMA credbroker AUTHORIZATION {settings.Username}; "
                    + $"ALTER ROLE {settings.Username} SET search_path = credbroker;"
            );
    }

    /// <summary>
    /// Connects and takes the schema for the first time. Whoever has to change it first has it alone for as long: no
    /// broker that knows it as it was writes to it then.
    /// </summary>
    private void Begin(NpgsqlConnectionStringBuilder settings, string schema, bool mayChange)
    {
        _writer.Open();
        RefuseStandby(_writer);
        Execute(_writer, $"{Session} SET application_name = '{Name} {Broker}'");
        Execute(_writer, LockOfMigrations, timeout: 660);
        try
        {
            // The journal alone is told the schema: DbUp would make it, which the user has no right to.
            Migrated = SqlMigrations.Run(
                DeployChanges
                    .To.PostgresqlDatabase(Migrating(settings))
                    .JournalToPostgresqlTable(schema, SqlMigrations.Journal),
                PostgresTables.Folder,
                _place,
                mayChange,
                () => Take(_writer, LockOfSchema)
            );
            Take(_writer, IsAlone ? LockOfSchema : ShareOfSchema);
            if (Migrated.Count > 0)
            {
                // It was taken once more for that.
                Execute(_writer, UnlockOfSchema);
            }

            _migrations = CountMigrations(_writer);
            RefuseClosed(_writer);
            using var row = new NpgsqlCommand($"SELECT current_schema()::regnamespace::oid, {Clock}", _writer);
            var askedAt = Time.GetTimestamp();
            using var reader = row.ExecuteReader();
            reader.Read();
            (Channel, _) = ($"credbroker_{reader.GetFieldValue<uint>(0)}", Time.TryTake(reader.GetInt64(1), askedAt));
        }
        finally
        {
            if (_writer.State == ConnectionState.Open)
            {
                Execute(_writer, UnlockOfMigrations);
            }
        }
    }

    /// <summary>Takes the schema, as the lock's statement says.</summary>
    private void Take(NpgsqlConnection connection, string sql)
    {
        try
        {
            Execute(connection, sql);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new StoreUnavailableException(
                sql == ShareOfSchema
                    ? $"Another broker uses {_place} alone: an older version, or one that is changing it. Stop the older one."
                    : $"Another broker uses {_place}, and it has to be had alone now. Stop the other one, or use a schema of "
                        + "its own.",
                e
            );
        }
    }

    private void RefuseClosed(NpgsqlConnection connection)
    {
        if (!_evenClosed)
        {
            using var closed = new NpgsqlCommand(ClosedStore.Query, connection);
            ClosedStore.Refuse(closed.ExecuteScalar() as string, _place);
        }
    }

    /// <summary>
    /// A standby takes no changes, and what is read there may be long over. Nobody stays connected to one: the address may
    /// lead to the primary the next time.
    /// </summary>
    private void RefuseStandby(NpgsqlConnection connection)
    {
        using var query = new NpgsqlCommand(IsStandby, connection);
        RefuseStandby((bool)query.ExecuteScalar()!);
    }

    private async Task RefuseStandbyAsync(NpgsqlConnection connection)
    {
        await using var query = new NpgsqlCommand(IsStandby, connection);
        RefuseStandby((bool)(await query.ExecuteScalarAsync())!);
    }

    private void RefuseStandby(bool isStandby)
    {
        if (isStandby)
        {
            throw new StoreUnavailableException(
                $"The server of {_place} is a standby, which takes no changes. Have the address lead to the primary."
            );
        }
    }

    private static long CountMigrations(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("SELECT count(*) FROM schemaversions", connection);
        return (long)command.ExecuteScalar()!;
    }
}
