namespace CredBroker.Vault.Setup;

/// <content>What of a user's objects can run.</content>
internal static partial class PostgresStatements
{
    /// <summary>
    /// What would run code of the user's choice with the rights of whoever owns its tables after it, or of whoever uses
    /// them, in the order in which it goes: how it goes at no row's cost, with what it goes otherwise, and how it stays if
    /// too much stands on it. The user's own routines go with all that
    /// stands on them, whoever's it is. On its own tables and types goes whatever can call others: a rule, a trigger, a
    /// policy, a foreign key that cascades (defaults and checks) or is cast, a default, a check, a generated column's
    /// expression (its values stay), a key that partitions (the partitions stay), an index's expression (autovacuum
    /// runs it), statistics on one. A view is a query with its owner's rights, and holds no row. The tables come last.
    /// </summary>
    private static string Code =>
        $$"""
            WITH own AS (
              SELECT c.oid, c.oid::regclass AS name, CASE relkind
                WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind
              FROM pg_class c WHERE relowner = id AND relkind IN ('r', 'p', 'f', 'v', 'm')),
            loose (oid, kind, name, cut) AS (
              SELECT oid, kind, name::text, CASE kind WHEN 'VIEW' THEN {{Nothing}} END FROM own WHERE kind LIKE '%VIEW'
              UNION ALL
              SELECT t.oid, 'TYPE', t.oid::regtype::text, NULL FROM pg_type t JOIN pg_range ON rngtypid = t.oid
              WHERE typowner = id AND EXISTS (SELECT FROM pg_proc f WHERE f.oid IN (rngsubdiff, rngcanonical) AND NOT {{IsPlain}})
              UNION ALL
              SELECT oid, 'CAST', format('(%s AS %s)', castsource::regtype, casttarget::regtype), NULL FROM pg_cast c
              WHERE (castsource IN (SELECT t.oid FROM pg_type t WHERE typowner = id)
                OR casttarget IN (SELECT t.oid FROM pg_type t WHERE typowner = id))
                AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_cast'::regclass AND objid = c.oid AND deptype = 'i')
              UNION ALL
              SELECT oid, 'OPERATOR', oid::regoperator::text, NULL FROM pg_operator WHERE oprowner = id
              UNION ALL
              SELECT oid, 'ROUTINE', oid::regprocedure::text, CASE WHEN prokind <> 'a' THEN {{Idle}} END FROM pg_proc p WHERE proowner = id),
            code (rank, number, kind, name, statement) AS (
            SELECT 0, 0::bigint, 'EXTENSION', quote_ident(extname), NULL
            FROM pg_extension e
            WHERE EXISTS (SELECT FROM pg_depend d JOIN pg_shdepend s USING (classid, objid)
              WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
                AND s.refclassid = 'pg_authid'::regclass AND s.refobjid = id AND s.deptype = 'o'
                AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))
            UNION ALL
            SELECT 1, 0, kind, name::text, format('ALTER TABLE %s DETACH PARTITION %s', name, inhrelid::regclass)
            FROM own JOIN pg_partitioned_table ON partrelid = own.oid JOIN pg_inherits ON inhparent = own.oid
            WHERE {{RunsCode("partexprs")}}
            UNION ALL
            SELECT 2, 0, kind, name::text, NULL FROM own JOIN pg_partitioned_table ON partrelid = own.oid
            WHERE {{RunsCode("partexprs")}}
            UNION ALL
            SELECT 3, 0, kind, name::text, format('DROP TRIGGER IF EXISTS %I ON %s', tgname, name)
            FROM own JOIN pg_trigger ON tgrelid = own.oid WHERE NOT tgisinternal AND tgparentid = 0
            UNION ALL
            SELECT 3, 0, kind, name::text, format('DROP RULE IF EXISTS %I ON %s', rulename, name)
            FROM own JOIN pg_rewrite ON ev_class = own.oid WHERE rulename <> '_RETURN'
            UNION ALL
            SELECT 3, 0, kind, name::text, format('DROP POLICY IF EXISTS %I ON %s', polname, name)
            FROM own JOIN pg_policy ON polrelid = own.oid
            UNION ALL
            SELECT 3, 0, kind, name::text, format('DROP STATISTICS IF EXISTS %I.%I', nspname, stxname)
            FROM own JOIN pg_statistic_ext ON stxrelid = own.oid JOIN pg_namespace n ON n.oid = stxnamespace
            UNION ALL
            SELECT 3, 0, 'STATISTICS', format('%I.%I', nspname, stxname), NULL
            FROM pg_statistic_ext JOIN pg_namespace n ON n.oid = stxnamespace WHERE stxowner = id
            UNION ALL
            SELECT 3, coninhcount, kind, name::text, format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', name, conname)
            FROM own JOIN pg_constraint ON conrelid = own.oid LEFT JOIN pg_index ON indexrelid = conindid
            WHERE conparentid = 0 AND (
              contype = 'f' AND (confupdtype IN ('c', 'n', 'd') OR confdeltype IN ('c', 'n', 'd') OR {{IsCast}})
              OR contype = 'x' AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
              OR contype = 'c' AND {{RunsCode("conbin")}})
            UNION ALL
            SELECT 3, 0, kind, name::text, format('DROP INDEX IF EXISTS %s', indexrelid::regclass)
            FROM own JOIN pg_index ON indrelid = own.oid
            WHERE (indexprs IS NOT NULL OR indpred IS NOT NULL)
              AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = indexrelid)
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype = 'x')
            UNION ALL
            SELECT 3, attinhcount, kind, name::text, format('ALTER TABLE %s ALTER COLUMN %I DROP %s', name, attname,
              CASE attgenerated WHEN '' THEN 'DEFAULT' ELSE 'EXPRESSION IF EXISTS' END)
            FROM own JOIN pg_attrdef ON adrelid = own.oid JOIN pg_attribute ON attrelid = own.oid AND attnum = adnum
            WHERE {{RunsCode("adbin")}}
            UNION ALL
            SELECT 3, 0, 'DOMAIN', t.oid::regtype::text, format('ALTER DOMAIN %s DROP CONSTRAINT IF EXISTS %I', t.oid::regtype, conname)
            FROM pg_type t JOIN pg_constraint ON contypid = t.oid WHERE typowner = id AND {{RunsCode("conbin")}}
            UNION ALL
            SELECT 3, 0, 'DOMAIN', t.oid::regtype::text, format('ALTER DOMAIN %s DROP DEFAULT', t.oid::regtype)
            FROM pg_type t WHERE typowner = id AND {{RunsCode("typdefaultbin")}})
            SELECT rank, number, coalesce(statement, dropped), dropped, NULL
            FROM code, format('DROP %s IF EXISTS %s CASCADE', kind, name) AS dropped
            UNION ALL
            SELECT -1, 0, cut, '', '' FROM loose WHERE oid IN ({{OnNewer}})
            UNION ALL
            SELECT 5, -oid::bigint, dropped, dropped, CASE WHEN cut <> '' THEN format('%s; ALTER %s %s OWNER TO cb_objects', cut, kind, name) END
            FROM loose, format('DROP %s IF EXISTS %s CASCADE', kind, name) AS dropped
            UNION ALL
            SELECT 6, (relkind = 'S')::int, format('ALTER %s IF EXISTS %s OWNER TO cb_objects', kind, name),
              format('DROP %s IF EXISTS %s CASCADE', kind, name), NULL
            FROM (SELECT relkind, c.oid::regclass AS name,
              CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind
              FROM pg_class c WHERE relowner = id AND relkind IN ('r', 'p', 'f', 'S')) AS tables
            """;

    /// <summary>
    /// The view or function that stands on something that was made after it, which only CREATE OR REPLACE brings about:
    /// what is dropped the newest first would take the older with it, thousands at once where each stands on the next. It
    /// is emptied before anything goes, as CREATE OR REPLACE would make anew what is gone.
    /// </summary>
    private const string OnNewer = """
        SELECT CASE WHEN d.classid = 'pg_proc'::regclass THEN d.objid ELSE ev_class END
        FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        WHERE d.classid IN ('pg_proc'::regclass, 'pg_rewrite'::regclass) AND deptype = 'n'
          AND refobjid > CASE WHEN d.classid = 'pg_proc'::regclass THEN d.objid ELSE ev_class END
        """;

    /// <summary>The view, <c>own</c>, as one that selects nothing from nowhere.</summary>
    private const string Nothing = """
        format('CREATE OR REPLACE VIEW %s AS SELECT %s', name, (
          SELECT string_agg(concat_ws(' ', 'NULL::' || format_type(atttypid, atttypmod),
            'COLLATE ' || quote_ident(nspname) || '.' || quote_ident(collname), 'AS', quote_ident(attname)), ', ' ORDER BY attnum)
          FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = attcollation LEFT JOIN pg_namespace n ON n.oid = collnamespace
          WHERE attrelid = own.oid AND attnum > 0))
        """;

    /// <summary>The routine, <c>p</c>, as one that does nothing.</summary>
    private const string Idle = """
        format('CREATE OR REPLACE %s %s(%s) %s %s LANGUAGE plpgsql AS ''BEGIN END''',
          CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
          (SELECT format('%I.%I', nspname, proname) FROM pg_namespace n WHERE n.oid = pronamespace),
          pg_get_function_arguments(oid), 'RETURNS ' || pg_get_function_result(oid), CASE prokind WHEN 'w' THEN 'WINDOW' END)
        """;

    /// <summary>A foreign key whose columns must be cast to be compared, by whatever cast there is then.</summary>
    private const string IsCast = """
        EXISTS (SELECT FROM unnest(conkey, confkey) AS pair (mine, theirs)
          JOIN pg_attribute m ON m.attrelid = conrelid AND m.attnum = mine
          JOIN pg_attribute t ON t.attrelid = confrelid AND t.attnum = theirs
          WHERE m.atttypid <> t.atttypid AND (m.atttypid >= 16384 OR t.atttypid >= 16384))
        """;

    /// <summary>
    /// Whether an expression calls anything but what is known to compute a plain value. It is asked of the stored
    /// expression itself: which of PostgreSQL's own functions it calls is on record nowhere else.
    /// </summary>
    private static string RunsCode(string expression) =>
        $$"""
            EXISTS (SELECT FROM regexp_matches({{expression}}::text, ':(funcid|opno|aggfnoid|winfnoid) (\d+)', 'g') AS found (call)
              LEFT JOIN pg_operator o ON call[1] = 'opno' AND o.oid = call[2]::oid
              LEFT JOIN pg_proc f ON f.oid = coalesce(o.oprcode, call[2]::oid)
              WHERE f.oid IS NULL OR NOT {{IsPlain}})
            """;

    /// <summary>
    /// A function, <c>f</c>, that reaches nothing but its arguments and the clock: the server's own, or written in C by
    /// somebody whom the server's owner trusts. What is stable or volatile may run a query (<c>query_to_xml</c>) or read a
    /// file with the rights of whoever inserts a row.
    /// </summary>
    private const string IsPlain = """
        (f.provolatile = 'i' AND (f.oid < 16384 OR f.prolang IN (12, 13))
          OR f.oid < 16384 AND (
            f.provolatile = 's' AND EXISTS (SELECT FROM pg_type d
              WHERE d.oid = ANY (f.proargtypes::oid[] || f.prorettype) AND d.oid < 16384 AND typcategory IN ('D', 'T'))
            OR f.proname IN ('clock_timestamp', 'timeofday', 'random', 'nextval', 'gen_random_uuid', 'uuidv4', 'uuidv7')))
        """;
}
