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

    /// <summary>
    /// Nobody is issued what outlives every revocation: a user may set the password of a role that it can act as, and with
    /// CREATEROLE or CREATEDB make roles and databases of its own.
    /// </summary>
    private const string NoOtherLogin = $$"""
        DO $$ DECLARE other text; BEGIN
          SET LOCAL search_path = pg_catalog;
          {{Reserve}}
          SELECT rolname INTO other FROM pg_roles
          WHERE pg_has_role({{Name}}, oid, 'MEMBER')
            AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin AND rolname <> {{Name}});
          IF FOUND THEN
            RAISE EXCEPTION 'as % the user could keep or make a login that no revocation reaches: '
              'grant only roles with NOLOGIN, NOSUPERUSER, NOCREATEROLE and NOCREATEDB', other
              USING ERRCODE = 'insufficient_privilege';
          END IF;
        END $$;
        """;

    private const string Name = "'{{name}}'";

    /// <summary>The one user that Vault names.</summary>
    private const string Named = $"rolname = {Name}";

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

    /// <summary>
    /// What follows commits by itself: the refusal must be visible before sessions are cut for good, and what a user leaves
    /// goes step by step.
    /// </summary>
    private const string Commit = "COMMIT;";

    public static string[] Revocation => [Commit, RefuseLogin(Named), Drop(Named)];

    /// <summary>
    /// The creation statements of a reaper: they remove every user of a lease as its revocation would, and make none. The
    /// login is refused twice: at first because that alone makes its way where the server's lock table is full, and after
    /// the last mint has ended because only then there is nobody more to come.
    /// </summary>
    public static string[] Reaping(bool acceptsPreparedTransactions) =>
        [
            ServerIsFit(acceptsPreparedTransactions),
            Commit,
            RefuseLogin(OfTheLease),
            ObjectsRole,
            EndMints,
            RefuseLogin(OfTheLease),
            Drop(OfTheLease),
        ];

    /// <summary>
    /// First the login is refused: sessions are cut and the row is taken at once, again and again, because whoever else
    /// wants it is a session of the user itself, or of another issued user that acts as it: before PostgreSQL 15 a user may
    /// make others members of itself. Nothing here may need more than the reserve where the user's own locks fill the
    /// server's lock table.
    /// </summary>
    private static string RefuseLogin(string which) =>
        $$"""
            DO $$ DECLARE victim name; helper name; helpers name[]; BEGIN
              SET LOCAL search_path = pg_catalog;
              SET LOCAL lock_timeout = '100ms';
              FOR attempt IN 1..200 LOOP
                helpers := '{}';
                BEGIN
                  FOR victim IN SELECT rolname FROM pg_roles WHERE {{which}} LOOP
                    PERFORM pg_stat_clear_snapshot();
                    PERFORM pg_terminate_backend(pid) FROM pg_stat_get_activity(NULL) a
                    WHERE pg_get_userbyid(usesysid) = victim
                      OR attempt > 1 AND pg_get_userbyid(usesysid) {{Issued}} AND (pg_has_role(usesysid, victim, 'MEMBER')
                        OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND granted AND {{HoldsRoles}}));
                    EXECUTE format('ALTER ROLE %I NOLOGIN', victim);
                    FOR helper IN
                      SELECT m.rolname FROM pg_auth_members JOIN pg_roles m ON m.oid = member JOIN pg_roles v ON v.oid = roleid
                      WHERE v.rolname = victim AND m.rolname <> CURRENT_USER
                    LOOP
                      EXECUTE format('REVOKE %I FROM %I CASCADE', victim, helper);
                      helpers := helpers || helper;
                    END LOOP;
                  END LOOP;
                  EXIT;
                EXCEPTION WHEN lock_not_available OR internal_error OR insufficient_resources THEN
                  IF attempt = 200 OR attempt >= 50 AND SQLSTATE NOT LIKE '53%' THEN RAISE; END IF;
                  IF SQLSTATE LIKE '53%' THEN
                    {{EndHoarders}}
                  END IF;
                END;
              END LOOP;
              COMMIT;
              PERFORM pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
              WHERE usename OPERATOR(pg_catalog.=) ANY (helpers) AND usename OPERATOR(pg_catalog.~) {{IssuedPattern}};
            END $$;
            """;

    /// <summary>
    /// Any user can fill the server's lock table, with nothing but advisory locks: then a statement that needs one lock more
    /// fails, and so does every login. Each session of the administrator therefore keeps some locks on nothing, and gives
    /// them up when it has somebody's sessions to end. Nobody can take just these, as nobody knows their keys.
    /// </summary>
    private const string Reserve = """
        PERFORM pg_advisory_unlock_all();
        PERFORM pg_try_advisory_lock((random() * 9e18)::bigint) FROM generate_series(1, 256);
        """;

    /// <summary>
    /// Where the lock table is full, the sessions of issued users that hold much of it are ended, whoever's lease is over:
    /// one agent would hold up the revocation of all others. Of the reserve a little is given up just before each lock that
    /// this needs, to look up whose a session is (nothing else here takes one), because whatever is free is taken at once.
    /// It is taken again before whoever was ended can have logged in again.
    /// </summary>
    private const string EndHoarders = $$"""
        DECLARE
          spare bigint[] := ARRAY(SELECT classid::bigint << 32 | objid::bigint FROM pg_lock_status()
            WHERE locktype = 'advisory' AND pid = pg_backend_pid());
          many int[];
          ended int[] := '{}';
          session int;
        BEGIN
          LOOP
            BEGIN
              PERFORM pg_stat_clear_snapshot();
              many := ARRAY(SELECT pid FROM pg_lock_status() WHERE pid <> pg_backend_pid() GROUP BY pid HAVING count(*) > 64);
              FOREACH session IN ARRAY ARRAY(SELECT pg_stat_get_backend_idset()) LOOP
                CONTINUE WHEN pg_stat_get_backend_pid(session) <> ALL (many);
                PERFORM pg_advisory_unlock(key) FROM unnest(spare[1:4]) AS key;
                spare := spare[5:];
                IF pg_get_userbyid(pg_stat_get_backend_userid(session)) {{Issued}}
                  AND pg_terminate_backend(pg_stat_get_backend_pid(session)) THEN
                  ended := ended || pg_stat_get_backend_pid(session);
                END IF;
              END LOOP;
              EXIT;
            EXCEPTION WHEN insufficient_resources THEN
              EXIT WHEN cardinality(spare) = 0;
              PERFORM pg_advisory_unlock(key) FROM unnest(spare[1:4]) AS key;
              spare := spare[5:];
            END;
          END LOOP;
          FOR look IN 1..500 LOOP
            EXIT WHEN NOT EXISTS (SELECT FROM pg_lock_status() WHERE pid = ANY (ended));
            PERFORM pg_sleep(0.001);
          END LOOP;
          {{Reserve}}
        EXCEPTION WHEN insufficient_resources THEN
          PERFORM pg_sleep(0.02); -- Somebody was quicker: again.
        END;
        """;

    /// <summary>
    /// The user's name: the lease id, as the child token's display name carries it, and eight random characters;
    /// PostgreSQL's own log then names the lease.
    /// </summary>
    public const string UsernameTemplate = """{{ printf "%s_%s" (.DisplayName | replace "token-" "") (random 8) }}""";

    /// <summary>
    /// After very many grants the administrator's session has lost what it knew of the server's roles, and to look it up it
    /// needs a lock that an agent may not leave it. So it looks up its own before the user's password is known to anybody.
    /// If this fails the user is there all the same: it must not fail with an error that is read as "nothing was made", and
    /// so needs nothing that the statements before it did not have.
    /// </summary>
    private const string KnowOneself = "DO $$ BEGIN NULL; END $$;";

    public static string[] Creation(IEnumerable<string> grants) =>
        [
            HoldLease,
            ObjectsRole,
            User,
            .. grants.SelectMany(PostgresGrants.Statements),
            NoOtherLogin,
            Commit,
            KnowOneself,
        ];
}
