namespace CredBroker.Vault.Setup;

/// <content>What removes a user that may no longer log in, with all that it has and leaves.</content>
internal static partial class PostgresStatements
{
    /// <summary>A user that the broker had made, under the alias of its name.</summary>
    public const string Issued = $"~ {IssuedPattern}";

    private const string IssuedPattern = "'^cb-[0-9a-f]{32}_'";

    /// <summary>What passes by itself, or with the sessions that are ended for it: it says nothing of the thing itself.</summary>
    private const string Passing =
        "lock_not_available OR deadlock_detected OR internal_error OR insufficient_resources";

    /// <summary>
    /// Its sessions end, with what they hold, and the user goes. What holds data goes to <c>cb_objects</c>, what can run
    /// is dropped, and so is what cannot be handed on. It is done in rounds, each a transaction of its own that begins
    /// with what is still there, because somebody who leaves very much would fill the server's lock table, and a round
    /// that fails would undo all. Another issued user whose open transaction holds something of it loses its session. A
    /// session that was logging in meanwhile is found at the end by the user's number, as the name is gone.
    /// </summary>
    private static string Drop(string which) =>
        $$"""
            DO $$ DECLARE
              victim name; id oid; object text; giver name; kept bool; lent text[];
              todo text[]; place int; passes int := 0; more bool := true; held bool; items text[];
            BEGIN
              LOOP
                SET LOCAL search_path = pg_catalog;
                SET LOCAL lock_timeout = '1s';
                SET LOCAL jit = off;
                SET LOCAL check_function_bodies = off;
                FOR attempt IN 1..200 LOOP
                  BEGIN
                    SELECT rolname, oid INTO victim, id FROM pg_roles WHERE {{which}} ORDER BY oid LIMIT 1;
                    EXIT WHEN NOT FOUND;
                    FOR look IN 1..200 LOOP
                      PERFORM pg_stat_clear_snapshot();
                      PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = id;
                      EXIT WHEN NOT FOUND;
                      PERFORM pg_sleep(0.01);
                    END LOOP;
                    EXECUTE format('GRANT %I TO CURRENT_USER', victim);
                    {{Lend}}
                    {{HandOn}}
                    {{TakeLoanBack}}
                    IF NOT more THEN
                      {{TakeBack}}
                      EXECUTE format('DROP OWNED BY %I CASCADE', victim);
                      EXECUTE format('DROP ROLE %I', victim);
                      passes := 0;
                    END IF;
                    EXIT;
                  EXCEPTION WHEN {{Passing}} OR dependent_objects_still_exist THEN
                    IF attempt = 200 OR attempt >= 5 AND SQLSTATE NOT LIKE '53%' THEN RAISE; END IF;
                    todo := NULL;
                    IF SQLSTATE LIKE '53%' THEN
                      passes := greatest(passes - 1, 0); -- It was not looked to the end.
                      {{EndHoarders}}
                    ELSE
                      {{EndHolders}}
                    END IF;
                  END;
                END LOOP;
                EXIT WHEN victim IS NULL;
                PERFORM pg_stat_clear_snapshot();
                PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = id;
                IF more THEN
                  {{EndHolders}}
                END IF;
                COMMIT;
              END LOOP;
              BEGIN
                {{Reserve}}
              EXCEPTION WHEN insufficient_resources THEN
                NULL; -- It is more than others have.
              END;
            END $$;
            """;

    /// <summary>
    /// <c>cb_objects</c> borrows CREATE where the user owns something in a schema that withholds it.
    /// </summary>
    private const string Lend = """
        lent := '{}';
        FOR object IN
          SELECT nspname FROM pg_namespace n
          WHERE has_schema_privilege(id, n.oid, 'CREATE')
            AND NOT has_schema_privilege('cb_objects', n.oid, 'CREATE')
            AND has_schema_privilege(n.oid, 'CREATE WITH GRANT OPTION')
            AND EXISTS (SELECT FROM pg_shdepend JOIN pg_database d ON d.oid = dbid
              WHERE datname = current_database() AND refclassid = 'pg_authid'::regclass AND refobjid = id AND deptype = 'o')
        LOOP
          EXECUTE format('GRANT CREATE ON SCHEMA %I TO cb_objects', object);
          lent := lent || object;
        END LOOP;
        """;

    private const string TakeLoanBack = """
        FOREACH object IN ARRAY lent LOOP
          EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM cb_objects', object);
        END LOOP;
        """;

    /// <summary>
    /// First what can run (<see cref="Code"/>), then the tables, then all else. It is looked for once, done in rounds, and
    /// looked for again until there is none. What does not go as it should goes in another way that costs more: with its
    /// table. What so much stands on that the server cannot drop it in one piece stays, with nothing in it that runs.
    /// </summary>
    private static string HandOn =>
        $$"""
            IF todo IS NULL THEN
              SELECT array_agg(ARRAY[statement, otherwise, last] ORDER BY rank, number) INTO todo
              FROM ({{Code}}) AS code (rank, number, statement, otherwise, last);
              place := 1;
              passes := passes + 1;
              IF passes > 50 THEN RAISE EXCEPTION 'somebody goes on making things as %', victim; END IF;
            END IF;
            more := todo IS NOT NULL;
            held := false;
            FOR count IN 1..500 LOOP
              EXIT WHEN NOT more OR place > array_length(todo, 1);
              BEGIN
                EXECUTE todo[place][1];
                held := true;
              EXCEPTION WHEN insufficient_resources OR statement_too_complex THEN
                EXIT WHEN held; -- It is tried again with nothing held before it.
                IF todo[place][3] IS NULL THEN RAISE; END IF;
                EXECUTE todo[place][3];
              WHEN {{Passing}} THEN
                RAISE;
              WHEN OTHERS THEN
                EXECUTE todo[place][2];
              END;
              place := place + 1;
            END LOOP;
            IF place > array_length(todo, 1) THEN
              todo := NULL;
            END IF;
            IF NOT more THEN
              BEGIN
                EXECUTE format('REASSIGN OWNED BY %I TO cb_objects', victim);
              EXCEPTION WHEN insufficient_privilege THEN
                -- Not all of it: then each thing for itself.
                FOR object IN
                  SELECT format('SCHEMA %I', nspname) FROM pg_namespace WHERE nspowner = id
                  UNION ALL
                  SELECT format('TYPE %s', t.oid::regtype) FROM pg_type t
                  WHERE typowner = id AND typtype IN ('c', 'd', 'e', 'r')
                  UNION ALL
                  SELECT format('LARGE OBJECT %s', l.oid) FROM pg_largeobject_metadata l WHERE lomowner = id
                LOOP
                  BEGIN
                    EXECUTE format('ALTER %s OWNER TO cb_objects', object);
                  EXCEPTION WHEN {{Passing}} THEN
                    RAISE;
                  WHEN OTHERS THEN
                    NULL; -- Not by itself (a table's own row type), or not at all: it goes.
                  END;
                END LOOP;
              END;
            END IF;
            """;

    /// <summary>
    /// What others granted it is taken back as them, because an administrator's REVOKE reaches only what it or the owner
    /// granted: as other issued users, and as roles that issued users are members of and so can act as.
    /// </summary>
    private const string TakeBack = $$"""
        FOR giver, kept, items IN
          SELECT g.rolname, g.rolname !{{Issued}} AND EXISTS (
            SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE m.roleid = g.oid AND r.rolname = CURRENT_USER),
            array_agg(DISTINCT held.name)
          FROM (
            SELECT format('TABLE %s', c.oid::regclass), a.* FROM pg_class c, aclexplode(c.relacl) a WHERE relkind <> 'S'
            UNION ALL
            SELECT format('SEQUENCE %s', c.oid::regclass), a.* FROM pg_class c, aclexplode(c.relacl) a WHERE relkind = 'S'
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
            UNION ALL
            SELECT format('DATABASE %I', b.datname), a.* FROM pg_database b, aclexplode(b.datacl) a
            UNION ALL
            SELECT format('FOREIGN SERVER %I', f.srvname), a.* FROM pg_foreign_server f, aclexplode(f.srvacl) a
          ) AS held (name, grantor, grantee, privilege, grantable)
          JOIN pg_roles g ON g.oid = held.grantor
          WHERE held.grantee = id AND g.oid <> id AND NOT g.rolsuper AND (g.rolname {{Issued}}
            OR EXISTS (SELECT FROM pg_roles u WHERE u.rolname {{Issued}} AND pg_has_role(u.oid, g.oid, 'MEMBER')))
          GROUP BY g.oid, g.rolname
        LOOP
          BEGIN
            EXECUTE format('GRANT %I TO CURRENT_USER', giver);
          EXCEPTION WHEN insufficient_privilege OR undefined_object THEN
            CONTINUE; -- DROP ROLE says what it was.
          END;
          FOREACH object IN ARRAY items LOOP
            BEGIN
              EXECUTE format('SET LOCAL ROLE %I', giver);
              EXECUTE format('REVOKE ALL ON %s FROM %I CASCADE', object, victim);
              SET LOCAL ROLE NONE;
            EXCEPTION WHEN insufficient_privilege OR undefined_object OR undefined_table OR undefined_function THEN
              NULL; -- Its own right to it has gone with another's, or the thing itself.
            END;
          END LOOP;
          IF NOT kept THEN EXECUTE format('REVOKE %I FROM CURRENT_USER', giver); END IF;
        END LOOP;
        """;

    /// <summary>
    /// The sessions of other issued users that hold the user or something of it in a transaction that they do not end, or
    /// that keep giving it something: an accomplice would keep it from going for as long as it likes. Anybody else's are
    /// waited for.
    /// </summary>
    private const string EndHolders = $$"""
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid) FROM (
          SELECT DISTINCT pid FROM pg_locks l JOIN pg_stat_activity USING (pid)
          WHERE granted AND usename {{Issued}} AND (
            locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND (
              l.relation IN ('pg_largeobject'::regclass, 'pg_largeobject_metadata'::regclass)
              OR EXISTS (SELECT FROM pg_class c WHERE c.oid = l.relation AND relowner = id)
              OR EXISTS (SELECT FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid
                WHERE confrelid = l.relation AND relowner = id))
            OR {{HoldsRoles}}
            OR locktype = 'object' AND (
              classid = 'pg_authid'::regclass AND objid = id
              OR EXISTS (SELECT FROM pg_shdepend d WHERE refclassid = 'pg_authid'::regclass AND refobjid = id
                AND d.classid = l.classid AND d.objid = l.objid)))
        ) AS holders;
        PERFORM pg_sleep(0.05);
        """;

    /// <summary>A lock with which a role's own row, memberships or settings are changed.</summary>
    private const string HoldsRoles = """
        locktype = 'relation' AND l.database = 0 AND mode = 'RowExclusiveLock' AND l.relation IN
          ('pg_authid'::regclass, 'pg_auth_members'::regclass, 'pg_db_role_setting'::regclass)
        """;
}
