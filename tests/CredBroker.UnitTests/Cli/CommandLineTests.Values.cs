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
}
