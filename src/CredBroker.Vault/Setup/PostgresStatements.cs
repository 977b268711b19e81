namespace CredBroker.Vault.Setup;

/// <summary>
/// The SQL by which Vault makes and removes PostgreSQL users. An agent can defend its user: it can own what blocks DROP
/// ROLE, reconnect while its sessions are cut, take every connection, hold or keep changing its own row of
/// <c>pg_authid</c> (<c>ALTER ROLE CURRENT_USER PASSWORD …</c> in an open transaction, or in a loop), so that a plain
/// <c>ALTER ROLE … NOLOGIN</c> waits or fails, and leave functions in a schema that the administrator's search path
/// finds. None of it keeps the login.
/// </summary>
internal static class PostgresStatements
{
    /// <summary>
    /// The NOLOGIN role that inherits what a user leaves behind. Vault can run no SQL at setup, so the first user makes
    /// it.
    /// </summary>
    private const string ObjectsRole = """
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'cb_objects') THEN
            BEGIN
              CREATE ROLE cb_objects NOLOGIN;
              GRANT cb_objects TO CURRENT_USER;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
          END IF;
        END $$;
        """;

    /// <summary>The connection limit keeps one user from taking the connection that would revoke it.</summary>
    private const string User =
        """CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' """
        + "VALID UNTIL '{{expiration}}' CONNECTION LIMIT 20;";

    /// <summary>
    /// First the login is refused: sessions are cut and the row is taken at once, again and again, because whoever else
    /// wants it is a session of the user itself.
    /// </summary>
    private const string RefuseLogin = """
        DO $$ BEGIN
          SET LOCAL search_path = pg_catalog;
          SET LOCAL lock_timeout = '100ms';
          FOR attempt IN 1..50 LOOP
            EXIT WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{name}}');
            PERFORM pg_stat_clear_snapshot();
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';
            BEGIN
              ALTER ROLE "{{name}}" NOLOGIN;
              EXIT;
            EXCEPTION WHEN lock_not_available OR internal_error THEN
              IF attempt = 50 THEN RAISE; END IF;
            END;
          END LOOP;
        END $$;
        """;

    /// <summary>The refusal must be visible before sessions are cut for good.</summary>
    private const string Commit = "COMMIT;";

    /// <summary>
    /// Then its sessions end, with what they hold, and the user goes. One that was logging in meanwhile is found after
    /// it by the user's number, as the name is gone.
    /// </summary>
    private const string Drop = """
        DO $$ DECLARE id oid; BEGIN
          SET LOCAL search_path = pg_catalog;
          SET LOCAL lock_timeout = '5s';
          SELECT oid INTO id FROM pg_roles WHERE rolname = '{{name}}';
          IF FOUND THEN
            FOR attempt IN 1..200 LOOP
              PERFORM pg_stat_clear_snapshot();
              PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = id;
              EXIT WHEN NOT FOUND;
              PERFORM pg_catalog.pg_sleep(0.01);
            END LOOP;
            GRANT "{{name}}" TO CURRENT_USER;
            REASSIGN OWNED BY "{{name}}" TO cb_objects;
            DROP OWNED BY "{{name}}";
            DROP ROLE "{{name}}";
            PERFORM pg_stat_clear_snapshot();
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = id;
          END IF;
        END $$;
        """;

    public static string[] Revocation => [RefuseLogin, Commit, Drop];

    /// <summary>
    /// The user's name: the lease id, as the child token's display name carries it, and eight random characters;
    /// PostgreSQL's own log then names the lease.
    /// </summary>
    public const string UsernameTemplate = """{{ printf "%s_%s" (.DisplayName | replace "token-" "") (random 8) }}""";

    public static string[] Creation(IEnumerable<string> grants) => [ObjectsRole, User, .. grants];
}
