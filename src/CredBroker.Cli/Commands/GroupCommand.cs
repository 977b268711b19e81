using System.CommandLine;
using System.CommandLine.Help;

namespace CredBroker.Cli.Commands;

/// <summary>A command that only holds others: alone, it shows its help instead of an error.</summary>
internal abstract class GroupCommand : Command
{
    protected GroupCommand(string name, string description)
        : base(name, description) => SetAction(ShowHelp);

    public static int ShowHelp(ParseResult parsed)
    {
        new HelpAction().Invoke(parsed);
        return ExitCodes.Usage;
    }
}
