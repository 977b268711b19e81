using System.CommandLine;
using System.Text.RegularExpressions;
using CredBroker.Cli;

namespace CredBroker.UnitTests.Cli;

/// <summary>What arguments and options take for a value.</summary>
public sealed partial class CommandLineTests
{
    [Fact]
    public async Task What_cannot_be_an_id_is_asked_of_nobody()
    {
        var taking = Everything(CommandLine.Create(Terminal()))
            .Where(command => command.Arguments.Any(argument => Regex.IsMatch(argument.Description!, @"\bid\b")))
            .ToList();
        Assert.Equal(14, taking.Count);
        foreach (var command in taking)
        {
            foreach (var text in new[] { "", " ", ".", "..", "a/../b", "\e[2J" })
            {
                if (command.Name == "close" && text.Length > 2)
                {
                    // A workload may have called its task so.
                    continue;
                }

                _error.GetStringBuilder().Clear();
                var exitCode = await CommandLine.RunAsync([.. Path(command).Split(' '), text], Terminal());

                Assert.True(exitCode == 2, $"{Path(command)} \"{text}\": {exitCode}");
                Assert.Matches("\" is no (task's )?id", _error.ToString());
                Assert.DoesNotContain('\e', _error.ToString());
            }
        }
    }

    [Fact]
    public async Task How_often_is_watched_has_bounds()
    {
        var watching = Everything(CommandLine.Create(Terminal()))
            .Where(command => command.Options.Any(option => option.Name == "--interval"))
            .ToList();
        Assert.Equal(10, watching.Count);
        foreach (var command in watching)
        {
            var shortest = command.Name == "denials" ? "10 s" : "1 s";
            foreach (var (interval, said) in new[] { ("2000h", "not 2000h"), ("0s", ""), ("often", "no duration") })
            {
                await FailsAsync(command, interval, said);
            }

            await FailsAsync(command, "86401s", $"from {shortest} to 24 h, and not 86401s");
        }

        await FailsAsync(watching.Single(command => command.Name == "denials"), "9s", "from 10 s to 24 h, and not 9s");

        async Task FailsAsync(Command command, string interval, string said)
        {
            string[] arguments = [.. command.Arguments.Select(_ => "x")];
            _error.GetStringBuilder().Clear();
            string[] args = [.. Path(command).Split(' '), .. arguments, "--watch", "--interval", interval];
            Assert.Equal(2, await CommandLine.RunAsync(args, Terminal()));
            Assert.Contains(said, _error.ToString(), StringComparison.Ordinal);
            Assert.Contains("--help", _error.ToString(), StringComparison.Ordinal);
        }
    }
}
