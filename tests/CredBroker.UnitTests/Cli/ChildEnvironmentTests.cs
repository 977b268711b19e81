using System.Text.Json;
using CredBroker.Cli;
using CredBroker.Cli.Exec;
using CredBroker.Client;

namespace CredBroker.UnitTests.Cli;

public sealed class ChildEnvironmentTests
{
    private static readonly DatabaseSecret Database = new()
    {
        Username = "u",
        Password = "p",
        Connection = new("db", 5432, "billing", "verify-full"),
    };

    [Fact]
    public void Postgres_gets_libpqs_variables_and_none_that_would_lead_elsewhere()
    {
        var environment = ChildEnvironment.Postgres(Database);

        Assert.Equal(
            ["PGDATABASE=billing", "PGHOST=db", "PGPASSWORD=p", "PGPORT=5432", "PGSSLMODE=verify-full", "PGUSER=u"],
            environment.Set.Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal)
        );
        Assert.Equal(["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGPASSFILE"], environment.Remove);
    }

    [Fact]
    public void Each_member_becomes_a_variable() =>
        Assert.Equal(
            ["X_API_KEY=k", "X_LIMIT=5", "X_NESTED={\"a\":[1]}"],
            Prefixed("""{"api-key":"k","limit":5,"nested":{"a":[1]}}""", "X_")
                .Set.Select(pair => $"{pair.Key}={pair.Value}")
                .Order(StringComparer.Ordinal)
        );

    [Theory]
    [InlineData("""{"path":"/evil"}""", "")]
    [InlineData("""{"ld_preload":"/evil.so"}""", "")]
    [InlineData("""{"preload":"/evil.so"}""", "LD_")]
    [InlineData("""{"bash_env":"/evil"}""", "")]
    [InlineData("""{"node_options":"--require=/evil"}""", "")]
    [InlineData("""{"path":"/evil"}""", "PYTHON")]
    [InlineData("""{"git-ssh-command":"evil"}""", "")]
    [InlineData("""{"https_proxy":"http://evil"}""", "")]
    [InlineData("""{"token_file":"/evil"}""", "CREDBROKER_")]
    [InlineData("""{"DYLD_insert_libraries":"/evil"}""", "")]
    [InlineData("""{"a-b":"1","a_b":"2"}""", "X_")]
    [InlineData("""{"1":"x"}""", "")]
    [InlineData("""{"":"x"}""", "")]
    [InlineData("""{"a":"x\u0000y"}""", "X_")]
    public void A_member_that_could_choose_what_runs_or_fits_no_variable_is_refused(string data, string prefix) =>
        Assert.Equal(125, Assert.Throws<CliException>(() => Prefixed(data, prefix)).ExitCode);

    [Fact]
    public void Postgres_style_is_for_database_users() =>
        Assert.Throws<CliException>(() => ChildEnvironment.Postgres(new TokenSecret { Token = "t", Address = "a" }));

    private static ChildEnvironment Prefixed(string data, string prefix) =>
        ChildEnvironment.Prefixed(
            new KeyValueSecret { Data = JsonElement.Parse(data) },
            prefix,
            name => name == "PATH" ? "/usr/bin" : null
        );
}
