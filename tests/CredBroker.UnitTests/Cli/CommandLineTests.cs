using System.CommandLine;
using System.CommandLine.Help;
using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.Cli;
using CredBroker.Cli.Output;
using CredBroker.Core.Policy.Document;

namespace CredBroker.UnitTests.Cli;

public sealed partial class CommandLineTests
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
    public async Task No_command_takes_what_begins_like_an_option_and_is_none()
    {
        foreach (var command in Everything(CommandLine.Create(Terminal())))
        {
            string[] path = [.. Path(command).Split(' ', StringSplitOptions.RemoveEmptyEntries)];
            string[] arguments =
            [
                .. command.Arguments.SelectMany(argument =>
                    Enumerable.Repeat("x", Math.Max(1, argument.Arity.MinimumNumberOfValues))
                ),
            ];
            var text = command.Options.FirstOrDefault(option => option.Arity.MinimumNumberOfValues > 0);
            string[][] tails =
            [
                ["--no-such-option"],
                ["--no-such-option", .. arguments],
                [.. arguments, "--no-such-option"],
                ["--no-such-option=x"],
                ["-y"],
                [.. arguments, "--1"],
                .. text is null
                    ? (string[][])[]
                    :
                    [
                        [text.Name, "--no-such-option"],
                    ],
                // The root's, which counts nowhere below it.
                .. command is RootCommand
                    ? (string[][])[]
                    :
                    [
                        ["--version"],
                        [.. arguments, "--version"],
                        .. text is null
                            ? (string[][])[]
                            :
                            [
                                [.. arguments, text.Name, "--version"],
                            ],
                    ],
            ];
            foreach (var tail in tails)
            {
                _error.GetStringBuilder().Clear();
                _output.GetStringBuilder().Clear();
                var exitCode = await CommandLine.RunAsync([.. path, .. tail], Terminal());

                var line = string.Join(' ', path.Concat(tail));
                Assert.True(exitCode == (command.Name == "exec" ? 125 : 2), $"{line}: {exitCode}");
                Assert.True(_error.ToString().Contains(" is no option of credbroker", StringComparison.Ordinal), line);
                Assert.Contains("--help", _error.ToString(), StringComparison.Ordinal);
                Assert.Equal("", _output.ToString());
            }
        }
    }

    [Fact]
    public async Task What_counts_once_is_not_given_twice()
    {
        foreach (var command in Everything(CommandLine.Create(Terminal())))
        {
            foreach (var option in command.Options.Where(option => option is not (HelpOption or VersionOption)))
            {
                string[] once = option.Arity.MinimumNumberOfValues > 0 ? [option.Name, "json"] : [option.Name];
                _error.GetStringBuilder().Clear();
                var exitCode = await CommandLine.RunAsync(
                    [.. Path(command).Split(' ', StringSplitOptions.RemoveEmptyEntries), .. once, .. once],
                    Terminal()
                );

                Assert.NotEqual(0, exitCode);
                Assert.True(
                    option.Arity.MaximumNumberOfValues > 1
                        || _error.ToString().Contains($"{option.Name} is given 2 times", StringComparison.Ordinal),
                    $"{Path(command)} {option.Name}: {_error}"
                );
            }
        }
    }

    [Theory]
    [InlineData(
        "--reasn is no option of credbroker leases revoke, did you mean --reason?",
        "leases",
        "revoke",
        "--reasn",
        "x"
    )]
    [InlineData("A value that begins with - is given as --agent=--nope.", "leases", "list", "--agent", "--nope")]
    [InlineData(
        "There is no command credbroker leases revok, did you mean credbroker leases revoke?",
        "leases",
        "revok",
        "--dry-run"
    )]
    [InlineData("There is no command credbroker nonsense.", "nonsense")]
    [InlineData("y is more than credbroker leases show takes.", "leases", "show", "x", "y")]
    [InlineData("Must be one of: 'table' 'plain' 'json'", "leases", "list", "--output", "yaml")]
    public async Task A_usage_fault_says_what_and_how_to_go_on(string text, params string[] args)
    {
        Assert.Equal(2, await CommandLine.RunAsync(args, Terminal()));
        Assert.Contains(text, _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, _error.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData("-o", "json", "leases", "list")]
    [InlineData("leases", "list", "--ajent", "x", "--output", "json")]
    [InlineData("leases", "list", "--output=json", "--limit", "none")]
    [InlineData("exchange", "-o", "json")]
    [InlineData("leases", "--output=json")]
    [InlineData("leases", "-o:json")]
    [InlineData("nonsense", "--output=json")]
    [InlineData("release", "", "-o", "json")]
    public async Task A_usage_fault_is_JSON_where_that_is_asked_for(params string[] args)
    {
        Assert.Equal(2, await CommandLine.RunAsync(args, Terminal()));
        var told = JsonElement.Parse(_error.ToString());
        Assert.Equal("usage", told.GetProperty("code").GetString());
        Assert.Equal(2, told.GetProperty("exitCode").GetInt32());
        Assert.NotEqual("", told.GetProperty("message").GetString());
        Assert.EndsWith("--help", told.GetProperty("next").GetString(), StringComparison.Ordinal);
        Assert.Equal("", _output.ToString());
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

    [Theory]
    [InlineData((int)OutputFormat.Table)]
    [InlineData((int)OutputFormat.Plain)]
    public void Names_of_others_reach_no_terminal_with_escapes(int format)
    {
        const string Hostile = "\e]0;mine\a\e[2J\u009b2J";
        Grid.WriteFields(Terminal(), (OutputFormat)format, [(Hostile, Hostile)]);
        Grid.Write(
            Terminal(),
            (OutputFormat)format,
            [Hostile],
            [
                [Hostile],
            ]
        );

        var text = Regex.Replace(_output.ToString(), @"\e\[\d*m", "");
        Assert.DoesNotContain(text, character => char.IsControl(character) && character != '\n');
        Assert.Equal(4, Regex.Count(text, "(?i)]0;mine"));
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
