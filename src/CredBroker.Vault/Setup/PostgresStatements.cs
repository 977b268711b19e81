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

    /// <summary>The one user that Vault names.</summary>
    private const string Named = "rolname = '{{name}}'";

    /// <summary>
    /// Every user of the lease that the name in front of Vault's own eight characters says.
    /// </summary>
    private const string OfTheLease = """starts_with(rolname::text, split_part('{{name}}', '_', 1) || '_')""";

    /// <summary>
    /// A reaper whose connection makes up its names otherwise would find nobody, and seem to have removed them.
    /// </summary>
    private const string LeaseIsNamed = """
        DO $$ BEGIN
          IF '{{name}}' OPERATOR(pg_catalog.!~) '^cb-[0-9a-f]{32}_' THEN
            RAISE EXCEPTION 'the name {{name}} carries no lease: username_template is not as vault setup writes it';
          END IF;
        END $$;
        """;

    /// <summary>The refusal must be visible before sessions are cut for good.</summary>
    private const string Commit = "COMMIT;";

    public static string[] Revocation => [RefuseLogin(Named), Commit, Drop(Named)];

    /// <summary>
    /// The creation statements of a reaper: they remove every user of a lease as its revocation would, and make none.
    /// </summary>
    public static string[] Reaping => [LeaseIsNamed, RefuseLogin(OfTheLease), Commit, Drop(OfTheLease)];

    /// <summary>
    /// First the login is refused: sessions are cut and the row is taken at once, again and again, because whoever else
    /// wants it is a session of the user itself.
    /// </summary>
    private static string RefuseLogin(string which) =>
        $$"""
            DO $$ DECLARE victim name; BEGIN
              SET LOCAL search_path = pg_catalog;
              SET LOCAL lock_timeout = '100ms';
              FOR victim IN SELECT rolname FROM pg_roles WHERE {{which}} LOOP
                FOR attempt IN 1..50 LOOP
                  EXIT WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = victim);
                  PERFORM pg_stat_clear_snapshot();
                  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = victim;
                  BEGIN
                    EXECUTE format('ALTER ROLE %I NOLOGIN', victim);
                    EXIT;
                  EXCEPTION WHEN lock_not_available OR internal_error THEN
                    IF attempt = 50 THEN RAISE; END IF;
                  END;
                END LOOP;
              END LOOP;
            END $$;
            """;

    /// <summary>
    /// Then its sessions end, with what they hold, and the user goes. One that was logging in meanwhile is found after
    /// it by the user's number, as the name is gone.
    /// </summary>
    private static string Drop(string which) =>
        $$"""
            DO $$ DECLARE victim name; id oid; BEGIN
              SET LOCAL search_path = pg_catalog;
              SET LOCAL lock_timeout = '5s';
              FOR victim, id IN SELECT rolname, oid FROM pg_roles WHERE {{which}} LOOP
                FOR attempt IN 1..200 LOOP
                  PERFORM pg_stat_clear_snapshot();
                  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = id;
                  EXIT WHEN NOT FOUND;
                  PERFORM pg_sleep(0.01);
                END LOOP;
                EXECUTE format('GRANT %I TO CURRENT_USER', victim);
                EXECUTE format('REASSIGN OWNED BY %I TO cb_objects', victim);
                EXECUTE format('DROP OWNED BY %I', victim);
                EXECUTE format('DROP ROLE %I', victim);
                PERFORM pg_stat_clear_snapshot();
                PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = id;
              END LOOP;
            END $$;
            """;

    /// <summary>
    /// The user's name: the lease id, as the child token's display name carries it, and eight random characters;
    /// PostgreSQL's own log then names the lease.
    /// </summary>
    public const string UsernameTemplate = """{{ printf "%s_%s" (.DisplayName | replace "token-" "") (random 8) }}""";

    public static string[] Creation(IEnumerable<string> grants) => [ObjectsRole, User, .. grants];
}
