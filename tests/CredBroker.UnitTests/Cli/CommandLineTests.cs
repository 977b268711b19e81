using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli;
using CredBroker.Cli.Output;
using CredBroker.Core.Policy.Document;

namespace CredBroker.UnitTests.Cli;

public sealed class CommandLineTests
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    [Fact]
    public void Every_command_option_and_argument_says_what_it_is_for() =>
        Assert.All(
            Everything(CommandLine.Create(Terminal())),
            command =>
                Assert.All(
                    command.Options.Cast<Symbol>().Concat(command.Arguments).Append(command),
                    symbol =>
                        Assert.False(string.IsNullOrWhiteSpace(symbol.Description), $"{command.Name} {symbol.Name}")
                )
        );

    [Fact]
    public void No_option_takes_a_secret_because_others_could_see_it() =>
        Assert.All(
            Everything(CommandLine.Create(Terminal())).SelectMany(command => command.Options),
            option =>
                Assert.DoesNotContain(
                    option.Name,
                    new[] { "--token", "--password", "--secret", "--secret-id", "--key" }
                )
        );

    [Fact]
    public void The_commands_are_those_that_are_documented() =>
        Assert.Equal(
            [
                "approvals",
                "approvals approve",
                "approvals boxes",
                "approvals deny",
                "approvals list",
                "approvals revoke-box",
                "approvals show",
                "approvals watch",
                "audit",
                "audit export",
                "audit show",
                "audit verify",
                "catalogue",
                "completion",
                "denials",
                "doctor",
                "exchange",
                "exec",
                "holds",
                "holds add",
                "holds lift",
                "holds list",
                "leases",
                "leases confirm",
                "leases list",
                "leases revoke",
                "leases show",
                "login",
                "logout",
                "orders",
                "orders list",
                "orders show",
                "outcome",
                "owners",
                "owners list",
                "owners reinstate",
                "owners retire",
                "policy",
                "policy apply",
                "policy diff",
                "policy evaluate",
                "policy lint",
                "policy reference",
                "policy replay",
                "policy rollback",
                "policy schema",
                "policy show",
                "policy test",
                "policy versions",
                "quarantine",
                "release",
                "renew",
                "requests",
                "requests list",
                "requests redeem",
                "store",
                "store accept",
                "store clock",
                "store copy",
                "store info",
                "store migrate",
                "store rights",
                "task",
                "task close",
                "vault",
                "vault check",
                "vault cluster",
                "vault setup",
                "whoami",
            ],
            Everything(CommandLine.Create(Terminal()))
                .Select(Path)
                .Where(path => path.Length > 0)
                .Order(StringComparer.Ordinal)
        );

    [Theory]
    [InlineData(2)]
    [InlineData(0, "--help")]
    [InlineData(0, "--version")]
    [InlineData(2, "leases")]
    [InlineData(0, "leases", "revoke", "--help")]
    [InlineData(2, "nonsense")]
    [InlineData(2, "exchange", "billing")]
    [InlineData(
        2,
        "exchange",
        "billing",
        "--process",
        "p",
        "--task",
        "t",
        "--purpose",
        "u",
        "--action",
        "a",
        "--ttl",
        "10 minutes"
    )]
    [InlineData(2, "leases", "list", "--output", "xml")]
    [InlineData(125, "exec", "billing", "--", "true")]
    [InlineData(125, "exec", "billing", "--process", "p", "--task", "t", "--purpose", "u", "--action", "a")]
    public async Task A_command_line_that_does_nothing_has_its_exit_code(int exitCode, params string[] args)
    {
        Assert.Equal(exitCode, await CommandLine.RunAsync(args, Terminal()));
        Assert.NotEqual("", exitCode is 2 or 125 && args.Length > 1 ? _error.ToString() : _output.ToString() + _error);
    }

    [Fact]
    public async Task A_typing_slip_is_answered_with_what_may_have_been_meant()
    {
        await CommandLine.RunAsync(["leases", "revok"], Terminal());

        Assert.Contains("revoke", _error.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(
            "Next: credbroker leases --help" + Environment.NewLine,
            _error.ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_editors_schema_is_printed_whole_and_its_help_says_how_an_editor_uses_it()
    {
        Assert.Equal(0, await CommandLine.RunAsync(["policy", "schema"], Terminal()));
        Assert.Equal(PolicyManual.ReadSchema().TrimEnd() + Environment.NewLine, _output.ToString());
        Assert.True(JsonElement.Parse(_output.ToString()).TryGetProperty("$schema", out _));

        Assert.Equal(0, await CommandLine.RunAsync(["policy", "schema", "--tests"], Terminal()));
        Assert.EndsWith(
            PolicyManual.ReadTestSchema().TrimEnd() + Environment.NewLine,
            _output.ToString(),
            StringComparison.Ordinal
        );

        await CommandLine.RunAsync(["policy", "schema", "--help"], Terminal());
        Assert.Contains("# yaml-language-server: $schema=", _output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80, false)]
    [InlineData(120, true)]
    public void A_narrow_terminal_does_without_the_columns_that_can_be_spared(int width, bool isShown)
    {
        Grid.Write(
            Terminal(width),
            OutputFormat.Table,
            ["Lease", new Column("Task", 110), "Ends"],
            [
                ["l-1", "t-1", "soon"],
            ]
        );

        Assert.Equal(isShown, _output.ToString().Contains("t-1", StringComparison.Ordinal));
        Assert.Contains("soon", _output.ToString(), StringComparison.Ordinal);
    }

    private static IEnumerable<Command> Everything(Command command) =>
        command.Subcommands.SelectMany(Everything).Prepend(command);

    private static string Path(Command command) =>
        string.Join(
                ' ',
                command
                    .Parents.OfType<Command>()
                    .Where(parent => parent is not RootCommand)
                    .Select(Path)
                    .Append(command is RootCommand ? "" : command.Name)
            )
            .Trim();

    private Terminal Terminal(int width = 120) =>
        new()
        {
            Out = _output,
            Error = _error,
            In = Stream.Null,
            OpenOut = () => Stream.Null,
            OutIsTerminal = true,
            ErrorIsTerminal = false,
            Variable = _ => null,
            Time = TimeProvider.System,
            Width = width,
        };
}
