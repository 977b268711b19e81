using System.Text.RegularExpressions;

namespace CredBroker.Vault.Setup;

/// <summary>
/// The SQL by which Vault makes and removes PostgreSQL users. An agent can defend its user: it can own what blocks DROP
/// ROLE, reconnect while its sessions are cut, take every connection, hold or keep changing its own row of
/// <c>pg_authid</c> (<c>ALTER ROLE CURRENT_USER PASSWORD …</c> in an open transaction, or in a loop), so that a plain
/// <c>ALTER ROLE … NOLOGIN</c> waits or fails, and leave functions in a schema that the administrator's search path
/// finds. None of it keeps the login.
/// </summary>
internal static partial class PostgresStatements
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

    /// <summary>The lease as the key of an advisory lock.</summary>
    private const string LeaseKey = "pg_catalog.hashtextextended(pg_catalog.split_part('{{name}}', '_', 1), 0)";

    /// <summary>
    /// A mint holds its lease until it has committed, so that a reaper sees it before its user can be seen.
    /// </summary>
    private const string HoldLease = $"SELECT pg_catalog.pg_advisory_xact_lock({LeaseKey});";

    /// <summary>
    /// A mint whose caller has gone away may have everything done but its commit, which the network holds back and
    /// delivers after the reaper has found nobody. Its transaction is ended: the lease's token is revoked, and nobody
    /// waits for it. The lock is not taken here, as an agent could hold it against its own reaper.
    /// </summary>
    private const string EndMints = $$"""
        DO $$ BEGIN
          SET LOCAL search_path = pg_catalog;
          FOR attempt IN 1..200 LOOP
            PERFORM pg_stat_clear_snapshot();
            PERFORM pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
              WHERE locktype = 'advisory' AND objsubid = 1 AND usename = CURRENT_USER
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32) | objid::bigint = {{LeaseKey}};
            EXIT WHEN NOT FOUND;
            IF attempt = 200 THEN RAISE EXCEPTION 'a transaction that may still make a user of this lease goes on'; END IF;
            PERFORM pg_sleep(0.01);
          END LOOP;
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
    /// As whose lease <c>vault setup</c> and <c>vault check</c> call a reaper: there is no such lease, and a server that
    /// is unfit is refused.
    /// </summary>
    public static readonly string CheckedLease = new('0', 32);

    /// <summary>
    /// A reaper whose connection makes up its names otherwise would find nobody, and seem to have removed them. A
    /// prepared transaction outlives its session and would hold a user's row, and so its login, for as long as it likes.
    /// </summary>
    private static string ServerIsFit(bool acceptsPreparedTransactions) =>
        $$$"""
            DO $$ BEGIN
              SET LOCAL search_path = pg_catalog;
              IF '{{name}}' !~ '^cb-[0-9a-f]{32}_' THEN
                RAISE EXCEPTION 'the name {{name}} carries no lease: username_template is not as vault setup writes it';
              END IF;
              IF starts_with('{{name}}', 'cb-{{{CheckedLease}}}_') AND NOT {{{(
                acceptsPreparedTransactions ? "true" : "false"
            )}}}
                AND current_setting('max_prepared_transactions')::int > 0 THEN
                RAISE EXCEPTION 'max_prepared_transactions is %: a prepared transaction keeps a login alive. '
                  'Set it to 0, or say acceptsPreparedTransactions: true at the connection',
                  current_setting('max_prepared_transactions');
              END IF;
            END $$;
            """;

    /// <summary>The refusal must be visible before sessions are cut for good.</summary>
    private const string Commit = "COMMIT;";

    public static string[] Revocation => [RefuseLogin(Named), Commit, Drop(Named)];

    /// <summary>
    /// The creation statements of a reaper: they remove every user of a lease as its revocation would, and make none.
    /// </summary>
    public static string[] Reaping(bool acceptsPreparedTransactions) =>
        [
            ServerIsFit(acceptsPreparedTransactions),
            ObjectsRole,
            EndMints,
            RefuseLogin(OfTheLease),
            Commit,
            Drop(OfTheLease),
        ];

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
    /// Then its sessions end, with what they hold, and the user goes. What other issued users granted it is taken back
    /// as them, because an administrator's REVOKE reaches only what it or the owner granted. What it owns goes to
    /// <c>cb_objects</c>, which borrows CREATE where a schema withholds it, stripped of what would later run or read with
    /// that role's rights (<see cref="Strip"/>); what cannot be handed on is dropped. Another issued user whose open
    /// transaction holds something of it loses its session. A session that was logging in meanwhile is found at the end
    /// by the user's number, as the name is gone.
    /// </summary>
    private static string Drop(string which) =>
        $$"""
            DO $$ DECLARE
              victim name; id oid; grantor name; object text; lent text[]; relation oid; tainted oid[];
            BEGIN
              SET LOCAL search_path = pg_catalog;
              SET LOCAL lock_timeout = '1s';
              FOR victim, id IN SELECT rolname, oid FROM pg_roles WHERE {{which}} LOOP
                FOR attempt IN 1..200 LOOP
                  PERFORM pg_stat_clear_snapshot();
                  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = id;
                  EXIT WHEN NOT FOUND;
                  PERFORM pg_sleep(0.01);
                END LOOP;

                FOR attempt IN 1..5 LOOP
                  BEGIN
                    EXECUTE format('GRANT %I TO CURRENT_USER', victim);
                    {{TakeBack}}
                    {{Strip}}
                    {{HandOn}}
                    EXECUTE format('DROP OWNED BY %I', victim);
                    EXECUTE format('DROP ROLE %I', victim);
                    EXIT;
                  EXCEPTION WHEN lock_not_available OR deadlock_detected OR internal_error OR insufficient_resources THEN
                    IF attempt = 5 THEN RAISE; END IF;
                    {{EndHolders}}
                  END;
                END LOOP;
                PERFORM pg_stat_clear_snapshot();
                PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = id;
              END LOOP;
            END $$;
            """;

    private const string TakeBack = """
        FOR object, grantor IN
          SELECT DISTINCT held.name, giver.rolname FROM (
            SELECT format('TABLE %s', c.oid::regclass), a.* FROM pg_class c, aclexplode(c.relacl) a
            UNION ALL
            SELECT format('TABLE %s', c.attrelid::regclass), a.* FROM pg_attribute c, aclexplode(c.attacl) a
            UNION ALL
            SELECT format('ROUTINE %s', p.oid::regprocedure), a.* FROM pg_proc p, aclexplode(p.proacl) a
            UNION ALL
            SELECT format('TYPE %s', t.oid::regtype), a.* FROM pg_type t, aclexplode(t.typacl) a
            UNION ALL
            SELECT format('SCHEMA %I', n.nspname), a.* FROM pg_namespace n, aclexplode(n.nspacl) a
            UNION ALL
            SELECT format('LARGE OBJECT %s', l.oid), a.* FROM pg_largeobject_metadata l, aclexplode(l.lomacl) a
          ) AS held (name, grantor, grantee, privilege, grantable)
          JOIN pg_roles giver ON giver.oid = held.grantor
          WHERE held.grantee = id AND giver.oid <> id AND giver.rolname ~ '^cb-[0-9a-f]{32}_'
        LOOP
          BEGIN
            EXECUTE format('GRANT %I TO CURRENT_USER', grantor);
            EXECUTE format('SET LOCAL ROLE %I', grantor);
            EXECUTE format('REVOKE ALL ON %s FROM %I CASCADE', object, victim);
            SET LOCAL ROLE NONE;
            EXECUTE format('REVOKE %I FROM CURRENT_USER', grantor);
          EXCEPTION WHEN insufficient_privilege OR undefined_object OR undefined_table OR undefined_function THEN
            NULL; -- Its own right to it has gone with another's, or the thing itself.
          END;
        END LOOP;
        """;

    /// <summary>
    /// What would run code of the user's making with the rights of whoever owns its tables after it, or of whoever uses a
    /// table: a rule's action, an index's expression (by autovacuum), statistics on one, a policy (in a check of a foreign
    /// key), a cascading foreign key (defaults and checks), a function with its maker's rights, and a trigger, also one on
    /// somebody else's table. No row is lost. A view is a query with its owner's rights, and holds none.
    /// </summary>
    private const string Strip = """
        tainted := '{}';
        FOR relation, object IN
          SELECT 0, format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure) FROM pg_proc p
          WHERE proowner = id AND prorettype = 'trigger'::regtype
          UNION ALL
          SELECT c.oid, format('DROP TRIGGER IF EXISTS %I ON %s', tgname, c.oid::regclass)
          FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
          WHERE relowner = id AND NOT tgisinternal AND tgparentid = 0
          UNION ALL
          SELECT c.oid, format('DROP RULE IF EXISTS %I ON %s', rulename, c.oid::regclass)
          FROM pg_rewrite JOIN pg_class c ON c.oid = ev_class
          WHERE relowner = id AND rulename <> '_RETURN'
          UNION ALL
          SELECT c.oid, format('DROP POLICY IF EXISTS %I ON %s', polname, c.oid::regclass)
          FROM pg_policy JOIN pg_class c ON c.oid = polrelid
          WHERE relowner = id
          UNION ALL
          SELECT stxrelid, format('DROP STATISTICS IF EXISTS %I.%I', nspname, stxname)
          FROM pg_statistic_ext JOIN pg_namespace n ON n.oid = stxnamespace JOIN pg_class c ON c.oid = stxrelid
          WHERE relowner = id OR stxowner = id
          UNION ALL
          SELECT c.oid, format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', c.oid::regclass, conname)
          FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid LEFT JOIN pg_index ON indexrelid = conindid
          WHERE relowner = id AND conparentid = 0
            AND (contype = 'f' AND (confupdtype IN ('c', 'n', 'd') OR confdeltype IN ('c', 'n', 'd'))
              OR contype = 'x' AND (indexprs IS NOT NULL OR indpred IS NOT NULL))
          UNION ALL
          SELECT c.oid, format('DROP INDEX IF EXISTS %s', indexrelid::regclass)
          FROM pg_index JOIN pg_class c ON c.oid = indrelid
          WHERE relowner = id AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
            AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid)
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype = 'x')
          UNION ALL
          SELECT 0, format('ALTER ROUTINE %s SECURITY INVOKER', p.oid::regprocedure) FROM pg_proc p
          WHERE proowner = id AND prosecdef AND prorettype <> 'trigger'::regtype
          UNION ALL
          SELECT 0, format('DROP MATERIALIZED VIEW IF EXISTS %s', string_agg(c.oid::regclass::text, ', ')) FROM pg_class c
          WHERE relowner = id AND relkind = 'm' HAVING count(*) > 0
          UNION ALL
          SELECT 0, format('DROP VIEW IF EXISTS %s', string_agg(c.oid::regclass::text, ', ')) FROM pg_class c
          WHERE relowner = id AND relkind = 'v' HAVING count(*) > 0
        LOOP
          BEGIN
            EXECUTE object;
          EXCEPTION WHEN lock_not_available OR deadlock_detected OR internal_error OR insufficient_resources THEN
            RAISE;
          WHEN OTHERS THEN
            tainted := tainted || relation;
          END;
        END LOOP;
        """;

    /// <summary>Nothing that is left of what is above goes along: it is dropped, with its table where it is on one.</summary>
    private const string HandOn = """
        lent := '{}';
        FOR object IN
          SELECT nspname FROM pg_namespace n
          WHERE has_schema_privilege(id, n.oid, 'CREATE')
            AND NOT has_schema_privilege('cb_objects', n.oid, 'CREATE')
            AND has_schema_privilege(n.oid, 'CREATE WITH GRANT OPTION')
        LOOP
          EXECUTE format('GRANT CREATE ON SCHEMA %I TO cb_objects', object);
          lent := lent || object;
        END LOOP;
        BEGIN
          IF tainted <> '{}' THEN RAISE insufficient_privilege; END IF;
          EXECUTE format('REASSIGN OWNED BY %I TO cb_objects', victim);
        EXCEPTION WHEN insufficient_privilege THEN
          -- Not all of it: then each thing for itself.
          FOR object IN
            SELECT format('SCHEMA %I', nspname) FROM pg_namespace WHERE nspowner = id
            UNION ALL
            SELECT format('TABLE %s', c.oid::regclass) FROM pg_class c
            WHERE relowner = id AND relkind IN ('r', 'p', 'f', 'S') AND c.oid <> ALL (tainted)
            UNION ALL
            SELECT format('ROUTINE %s', p.oid::regprocedure) FROM pg_proc p
            WHERE proowner = id AND NOT prosecdef AND prorettype <> 'trigger'::regtype
            UNION ALL
            SELECT format('TYPE %s', t.oid::regtype) FROM pg_type t
            WHERE typowner = id AND typtype IN ('c', 'd', 'e', 'r')
            UNION ALL
            SELECT format('LARGE OBJECT %s', l.oid) FROM pg_largeobject_metadata l WHERE lomowner = id
          LOOP
            BEGIN
              EXECUTE format('ALTER %s OWNER TO cb_objects', object);
            EXCEPTION WHEN lock_not_available OR deadlock_detected OR internal_error OR insufficient_resources THEN
              RAISE;
            WHEN OTHERS THEN
              NULL; -- Not by itself (a table's own sequence or row type), or not at all: it goes.
            END;
          END LOOP;
        END;
        FOREACH object IN ARRAY lent LOOP
          EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM cb_objects', object);
        END LOOP;
        """;

    /// <summary>
    /// The sessions of other issued users that hold the user or something of it in a transaction that they do not end: an
    /// accomplice would keep it from going for as long as it likes. Anybody else's are waited for.
    /// </summary>
    private const string EndHolders = """
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid) FROM (
          SELECT DISTINCT pid FROM pg_locks l JOIN pg_stat_activity USING (pid)
          WHERE granted AND usename ~ '^cb-[0-9a-f]{32}_' AND (
            locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND (
              l.relation IN ('pg_largeobject'::regclass, 'pg_largeobject_metadata'::regclass)
              OR EXISTS (SELECT FROM pg_class c WHERE c.oid = l.relation AND relowner = id)
              OR EXISTS (SELECT FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid
                WHERE confrelid = l.relation AND relowner = id))
            OR locktype = 'object' AND (
              classid = 'pg_authid'::regclass AND objid = id
              OR EXISTS (SELECT FROM pg_shdepend d WHERE refclassid = 'pg_authid'::regclass AND refobjid = id
                AND d.classid = l.classid AND d.objid = l.objid)))
        ) AS holders;
        PERFORM pg_sleep(0.05);
        """;

    /// <summary>
    /// A grant on all tables, made table by table. One that an agent made is left out until its lease is over, so that it
    /// stops nobody else's user: its maker may forbid the grant, or keep it waiting by a grant of their own that they do
    /// not commit. Any other that may not be given away stops the user, by its name.
    /// </summary>
    private static string TableByTable(string grant) =>
        AllTables().Match(grant) is { Success: true } match
            ? $$$"""
                DO $$ DECLARE relation regclass; path text := pg_catalog.current_setting('search_path'); BEGIN
                  SET LOCAL search_path = pg_catalog;
                  FOR relation IN
                    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                    WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname = '{{{SchemaOf(match)}}}'
                      AND pg_get_userbyid(relowner) !~ '^cb-[0-9a-f]{32}_'
                  LOOP
                    EXECUTE format('GRANT {{{match.Groups[
                    "privileges"
                ].Value.Trim()}}} ON TABLE %s TO %I', relation, '{{name}}');
                  END LOOP;
                  -- The operator's next grant may name a table without its schema.
                  PERFORM set_config('search_path', path, true);
                END $$;
                """
            : grant;

    /// <summary>As the catalogue has it: a name without quotes is in lower case.</summary>
    private static string SchemaOf(Match grant) =>
        grant.Groups["schema"].Value is ['"', .., '"'] quoted
            ? quoted[1..^1]
            : grant.Groups["schema"].Value.ToLowerInvariant();

    [GeneratedRegex(
        """\A\s*GRANT\s+(?<privileges>[A-Z][A-Z ,]*)\s+ON\s+ALL\s+TABLES\s+IN\s+SCHEMA\s+"""
            + """(?<schema>[a-z_][a-z0-9_]*|"[A-Za-z0-9_ -]+")\s+TO\s+"?\{\{name\}\}"?\s*;?\s*\z""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking
    )]
    private static partial Regex AllTables();

    /// <summary>
    /// The user's name: the lease id, as the child token's display name carries it, and eight random characters;
    /// PostgreSQL's own log then names the lease.
    /// </summary>
    public const string UsernameTemplate = """{{ printf "%s_%s" (.DisplayName | replace "token-" "") (random 8) }}""";

    public static string[] Creation(IEnumerable<string> grants) =>
        [HoldLease, ObjectsRole, User, .. grants.Select(TableByTable)];
}
