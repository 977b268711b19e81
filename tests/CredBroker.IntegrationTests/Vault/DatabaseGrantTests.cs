using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using Npgsql;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// What the catalogue grants where agents own something: it stops nobody's user, and no grant outlives its lease.
/// </summary>
public sealed class DatabaseGrantTests(PreparedDatabase database) : WorkSchemaTests(database)
{
    [Theory]
    [InlineData("SELECT ON ALL TABLES IN SCHEMA work, billing", "SELECT * FROM theirs", "SELECT * FROM mine")]
    [InlineData(
        "USAGE ON ALL SEQUENCES IN SCHEMA billing, work",
        "SELECT nextval('ticks')",
        "SELECT nextval('clicks')"
    )]
    [InlineData("EXECUTE ON ALL FUNCTIONS IN SCHEMA work", "SELECT theirs(1), total(1)", "SELECT mine(1)")]
    [InlineData("EXECUTE ON ALL PROCEDURES IN SCHEMA work", "CALL tidy()", "CALL untidy()")]
    [InlineData("EXECUTE ON ALL ROUTINES IN SCHEMA \"work\"", "SELECT theirs(1); CALL tidy()", "SELECT mine(1)")]
    public async Task What_an_agent_made_stops_nobody_elses_user_and_is_left_out(
        string grant,
        string given,
        string left
    )
    {
        await Postgres.ExecuteAsync(
            """
            CREATE TABLE work.theirs (id int);
            CREATE SEQUENCE work.ticks;
            CREATE FUNCTION work.theirs(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
            CREATE AGGREGATE work.total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
            CREATE PROCEDURE work.tidy() LANGUAGE sql AS 'SELECT 1';
            REVOKE ALL ON ALL ROUTINES IN SCHEMA work FROM PUBLIC;
            GRANT ALL ON ALL TABLES IN SCHEMA work TO cb_admin WITH GRANT OPTION;
            GRANT ALL ON ALL SEQUENCES IN SCHEMA work TO cb_admin WITH GRANT OPTION;
            GRANT ALL ON ALL ROUTINES IN SCHEMA work TO cb_admin WITH GRANT OPTION;
            """
        );
        var reader = With("reader", "GRANT USAGE ON SCHEMA work TO \"{{name}}\"", $"GRANT {grant} TO \"{{{{name}}}}\"");
        Assert.True((await Environment.SetUpAsync([Environment.Database, Writer, reader])).IsComplete);
        var (owner, maker) = await IssueAsync();
        await RunAsync(
            maker,
            """
            CREATE TABLE work.mine (id int);
            CREATE SEQUENCE work.clicks;
            CREATE FUNCTION work.mine(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
            CREATE PROCEDURE work.untidy() LANGUAGE sql AS 'SELECT 1';
            REVOKE ALL ON ROUTINE work.mine(int), work.untidy() FROM PUBLIC;
            """
        );

        var (lease, secret) = await IssueAsync(reader);

        await RunAsync(secret, "SET search_path = work; " + given);
        var refused = await Assert.ThrowsAsync<PostgresException>(() =>
            RunAsync(secret, "SET search_path = work; " + left)
        );
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        await ConfirmAsync(owner);
        await ConfirmAsync(lease);
    }

    [Fact]
    public async Task A_schema_that_is_not_there_is_refused_plainly()
    {
        var refused = await RefusedAsync("GRANT SELECT ON ALL TABLES IN SCHEMA wrok TO \"{{name}}\"");

        Assert.Equal(RefusalCode.MintFailed, refused.Refusal.Code);
    }

    /// <summary>Its members could set its password, or make roles and databases, and log in for ever.</summary>
    [Theory]
    [InlineData("LOGIN")]
    [InlineData("CREATEROLE")]
    [InlineData("CREATEDB")]
    public async Task Nobody_is_made_a_member_of_a_role_that_would_outlive_every_revocation(string attribute)
    {
        await Postgres.ExecuteAsync($"DROP ROLE IF EXISTS crew; CREATE ROLE crew {attribute}");

        var refused = await RefusedAsync("GRANT crew TO \"{{name}}\"");

        Assert.Equal(RefusalCode.MintFailed, refused.Refusal.Code);
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task What_an_agent_grants_itself_as_a_role_that_it_is_a_member_of_keeps_it_no_longer()
    {
        await Postgres.ExecuteAsync(
            """
            DROP ROLE IF EXISTS readers;
            CREATE ROLE readers NOLOGIN;
            GRANT USAGE, CREATE ON SCHEMA work TO readers;
            CREATE TABLE work.theirs (id int);
            GRANT SELECT ON work.theirs TO readers WITH GRANT OPTION;
            """
        );
        var member = With("member", "GRANT readers TO \"{{name}}\"");
        Assert.True((await Environment.SetUpAsync([Environment.Database, Writer, member])).IsComplete);
        var ((first, one), (second, other)) = (await IssueAsync(member), await IssueAsync(member));
        foreach (var agent in new[] { one, other })
        {
            await RunAsync(
                agent,
                $"""
                SET ROLE readers;
                GRANT SELECT ON work.theirs TO "{one.Username}", "{other.Username}";
                CREATE SEQUENCE work."as {agent.Username}";
                GRANT ALL ON SEQUENCE work."as {agent.Username}" TO "{one.Username}", "{other.Username}";
                """
            );
        }

        await ConfirmAsync(first);
        await ConfirmAsync(second);

        Assert.Empty(await Postgres.IssuedUsersAsync());
        Assert.Equal("False", await ReadAsync("SELECT pg_has_role('cb_admin', 'readers', 'MEMBER')"));
    }

    private async Task<MintOutcome.Refused> RefusedAsync(string grant)
    {
        var entry = With("refused", grant);
        Assert.True((await Environment.SetUpAsync([Environment.Database, Writer, entry])).IsComplete);
        var plan = Plan(entry);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;
        var outcome = await Issuer.MintAsync(plan, child, default);
        Assert.True(outcome is MintOutcome.Refused, outcome.ToString());
        return (MintOutcome.Refused)outcome;
    }
}
