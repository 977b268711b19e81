using CredBroker.Core.Issuing;
using Npgsql;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// Agents that leave code: none of it runs later, with the rights of whoever owns, uses or maintains what they made.
/// </summary>
public sealed class DatabaseTrapTests(PreparedDatabase database) : WorkSchemaTests(database)
{
    /// <summary>What runs the agent's code later, on a table whose rows must be there still.</summary>
    public static TheoryData<string, string> Traps =>
        new()
        {
            {
                "a rule",
                "CREATE RULE steal AS ON INSERT TO work.bait DO ALSO INSERT INTO work.stolen SELECT session_user"
            },
            { "an index on an expression", "CREATE INDEX steal ON work.bait (work.spy(id))" },
            { "an index with a condition", "CREATE INDEX steal ON work.bait (id) WHERE work.spy(id) > 0" },
            { "an exclusion", "ALTER TABLE work.bait ADD CONSTRAINT steal EXCLUDE (work.spy(id) WITH =)" },
            { "statistics", "CREATE STATISTICS work.steal ON (work.spy(id)), id FROM work.bait" },
            { "a view", "CREATE VIEW work.steal AS SELECT work.spy(id) FROM work.bait" },
            { "a materialized view", "CREATE MATERIALIZED VIEW work.steal AS SELECT work.spy(id) FROM work.bait" },
            {
                "views upon views",
                """
                    CREATE VIEW work.steal AS SELECT work.spy(id) FROM work.bait;
                    CREATE MATERIALIZED VIEW work.steal2 AS SELECT * FROM work.steal;
                    CREATE VIEW work.steal3 AS SELECT * FROM work.steal2;
                    """
            },
            {
                "a trigger",
                "CREATE TRIGGER steal BEFORE INSERT ON work.bait FOR EACH ROW EXECUTE FUNCTION work.pounce()"
            },
            {
                "a trigger on another's table",
                "CREATE TRIGGER steal BEFORE INSERT ON work.theirs FOR EACH ROW EXECUTE FUNCTION work.pounce()"
            },
            {
                "a policy",
                """
                    ALTER TABLE work.bait ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                    CREATE POLICY steal ON work.bait USING (work.spy(id) > 0);
                    """
            },
            {
                "a cascade",
                """
                    CREATE TABLE work.hook (id int DEFAULT work.spy(1) REFERENCES work.bait ON DELETE SET DEFAULT);
                    INSERT INTO work.hook VALUES (1);
                    """
            },
            {
                "a key that is cast",
                """
                    CREATE TYPE work.sly AS ENUM ('one');
                    CREATE FUNCTION work.spy(work.sly) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT work.spy(0)';
                    CREATE CAST (work.sly AS int) WITH FUNCTION work.spy(work.sly) AS IMPLICIT;
                    CREATE TABLE work.hook (id work.sly REFERENCES work.bait);
                    INSERT INTO work.hook VALUES ('one');
                    """
            },
            { "a default", "ALTER TABLE work.bait ADD COLUMN loot int DEFAULT work.spy(1)" },
            {
                "a default that calls a tool of others",
                "ALTER TABLE work.bait ADD COLUMN loot int DEFAULT work.tool()"
            },
            {
                "a default that runs a query",
                """
                    ALTER TABLE work.bait
                      ADD COLUMN loot xml DEFAULT query_to_xml('SELECT work.tool()', false, false, '')
                    """
            },
            { "a check", "ALTER TABLE work.bait ADD CHECK (work.spy(id) > 0)" },
            {
                "a check by an operator",
                """
                    CREATE FUNCTION work.spy(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT work.spy($1) > $2';
                    CREATE OPERATOR work.### (LEFTARG = int, RIGHTARG = int, FUNCTION = work.spy);
                    ALTER TABLE work.bait ADD CHECK (id OPERATOR(work.###) 0);
                    """
            },
            {
                "a generated column",
                "ALTER TABLE work.bait ADD COLUMN loot int GENERATED ALWAYS AS (work.spy(id)) STORED"
            },
            {
                "a domain's check",
                """
                    CREATE DOMAIN work.sly AS int CHECK (work.spy(VALUE) > 0);
                    ALTER TABLE work.bait ADD COLUMN loot work.sly DEFAULT 1;
                    """
            },
            {
                "a domain's default",
                """
                    CREATE DOMAIN work.sly AS int DEFAULT work.spy(1);
                    ALTER TABLE work.bait ADD COLUMN loot work.sly;
                    """
            },
            {
                "a partition key",
                """
                    CREATE TABLE work.steal (id int) PARTITION BY LIST (work.spy(id));
                    ALTER TABLE work.steal ATTACH PARTITION work.bait FOR VALUES IN (2, 3, 4);
                    """
            },
            {
                "a range's difference",
                """
                    CREATE FUNCTION work.spy(int, int) RETURNS float8 IMMUTABLE LANGUAGE sql AS 'SELECT work.spy($1)::float8';
                    CREATE TYPE work.sly AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = work.spy);
                    ALTER TABLE work.bait ADD COLUMN loot work.sly DEFAULT '[1,2]';
                    """
            },
            {
                "a check on an aggregate's state",
                """
                    CREATE AGGREGATE work.sum_up (int) (SFUNC = work.add, STYPE = int, INITCOND = '0');
                    CREATE FUNCTION work.spy(int[]) RETURNS int IMMUTABLE LANGUAGE sql AS
                      'SELECT work.sum_up(work.spy(a)) FROM unnest($1) a';
                    ALTER TABLE work.bait ADD CHECK (work.spy(ARRAY[id]) > 0);
                    """
            },
        };

    [Theory]
    [MemberData(nameof(Traps))]
    public async Task Nothing_that_an_agent_leaves_runs_its_code_later_and_no_row_is_lost(string what, string trap)
    {
        await Postgres.ExecuteAsync(
            """
            CREATE TABLE work.theirs (id int);
            GRANT SELECT, TRIGGER ON work.theirs TO cb_admin WITH GRANT OPTION;
            CREATE FUNCTION work.tool() RETURNS int LANGUAGE plpgsql AS
              'BEGIN RAISE WARNING ''spying as %'', current_user; RETURN 1; END';
            """
        );
        var (lease, secret) = await IssueAsync();
        await Postgres.ExecuteAsync($"SET ROLE cb_admin; GRANT TRIGGER ON work.theirs TO \"{secret.Username}\"");
        await RunAsync(
            secret,
            $$"""
            CREATE TABLE work.stolen (by text);
            CREATE TABLE work.bait (id int PRIMARY KEY);
            INSERT INTO work.bait VALUES (1), (2);
            CREATE FUNCTION work.add(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + $2';
            CREATE FUNCTION work.spy(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
              'BEGIN RAISE WARNING ''spying as %'', current_user; RETURN 1 + $1; END';
            CREATE FUNCTION work.pounce() RETURNS trigger LANGUAGE plpgsql AS
              'BEGIN RAISE EXCEPTION ''pounced as %'', current_user; END';
            {{trap}}
            """
        );

        var outcome = await Issuer.RevokeAsync(lease, default);

        Assert.True(outcome is RevokeOutcome.Confirmed, $"{what}: {outcome}");
        Assert.Empty(await Postgres.IssuedUsersAsync());
        Assert.Equal("2", await ReadAsync("SELECT count(*) FROM work.bait"));
        Assert.Equal(
            "cb_objects",
            await ReadAsync("SELECT relowner::regrole::text FROM pg_class WHERE oid = 'work.bait'::regclass")
        );
        Assert.Equal("0", await ReadAsync("SELECT count(*) FROM pg_class WHERE relname LIKE 'steal%'"));
        // Whoever uses what is left, and whatever maintains it, meets nothing of the agent's.
        await using var session = await Postgres.ConnectAsync();
        var notices = new List<string>();
        session.Notice += (_, notice) => notices.Add(notice.Notice.MessageText);
        await using var use = new NpgsqlCommand(
            """
            INSERT INTO work.theirs VALUES (1);
            INSERT INTO work.bait VALUES (3);
            DELETE FROM work.bait WHERE id = 2;
            UPDATE work.bait SET id = 4 WHERE id = 3;
            ANALYZE work.bait;
            REINDEX TABLE work.bait;
            """,
            session
        );
        await use.ExecuteNonQueryAsync();
        Assert.Empty(notices);
        Assert.Equal("0", await ReadAsync("SELECT count(*) FROM work.stolen"));
        Assert.Equal("tool", await ReadAsync("SELECT string_agg(proname, ',') FROM pg_proc WHERE oid >= 16384"));
        Assert.Equal("0", await ReadAsync("SELECT count(*) FROM pg_operator WHERE oid >= 16384"));
        Assert.Equal("0", await ReadAsync("SELECT count(*) FROM pg_cast WHERE oid >= 16384"));
    }

    [Fact]
    public async Task What_computes_plain_values_stays()
    {
        var (lease, secret) = await IssueAsync();
        await RunAsync(
            secret,
            """
            CREATE DOMAIN work.amount AS numeric DEFAULT 0 CHECK (VALUE >= 0);
            CREATE TYPE work.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
            CREATE TABLE work.notes (
              id serial PRIMARY KEY,
              number int GENERATED ALWAYS AS IDENTITY,
              text text NOT NULL DEFAULT 'none' CHECK (length(text) < 100 AND text LIKE 'n%'),
              shout text GENERATED ALWAYS AS (upper(text)) STORED,
              by text DEFAULT current_user,
              token uuid DEFAULT gen_random_uuid(),
              tags text[] DEFAULT '{}',
              made timestamptz DEFAULT now(),
              day date DEFAULT CURRENT_DATE,
              ends timestamptz DEFAULT now() + interval '30 days' CHECK (ends > made),
              price work.amount,
              span work.span DEFAULT '[1,2]'
            );
            CREATE TABLE work.log (at timestamptz, id int) PARTITION BY RANGE (date_part('year', at AT TIME ZONE 'utc'));
            CREATE TABLE work.log_now PARTITION OF work.log FOR VALUES FROM (2000) TO (3000);
            """
        );

        await ConfirmAsync(lease);

        await Postgres.ExecuteAsync("INSERT INTO work.notes DEFAULT VALUES; INSERT INTO work.log VALUES (now(), 1)");
        Assert.Equal(
            "1 1 none NONE cb {} 0 [1,2] 0",
            await ReadAsync(
                """
                SELECT format('%s %s %s %s %s %s %s %s %s', id, number, text, shout, by, tags, price, span,
                  num_nulls(token, made, day, ends)) FROM work.notes
                """
            )
        );
        Assert.Equal("1", await ReadAsync("SELECT count(*) FROM work.log_now"));
        Assert.Equal(
            "4",
            await ReadAsync(
                "SELECT count(*) FROM pg_constraint WHERE connamespace = 'work'::regnamespace AND contype IN ('c', 'p')"
            )
        );
    }
}
