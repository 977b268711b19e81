using System.CommandLine;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Cli.Commands.Leases;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Holds;

/// <summary>What is held, for how long and why: the options of <c>quarantine</c> and <c>holds add</c>.</summary>
internal sealed class HoldOptions
{
    private readonly SelectorOptions _selector = new();
    private readonly Option<bool> _everything = new("--everything") { Description = "All issuing; needs --confirm" };
    private readonly Option<bool> _confirm = new("--confirm") { Description = "Says that --everything is meant" };
    private readonly Option<bool> _allowNone = SelectorOptions.AllowNone();
    private readonly Option<TimeSpan?> _for = new("--for")
    {
        HelpName = "2h",
        Description = "How long the hold lasts; until it is lifted, unless given",
        CustomParser = RequestOptions.ParseDuration,
    };
    private readonly Option<string?> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why; stands in the audit log and in the list of holds",
    };

    public void AddTo(Command command)
    {
        _selector.AddTo(command);
        command.Add(_everything);
        command.Add(_confirm);
        command.Add(_allowNone);
        command.Add(_for);
        command.Add(_reason);
    }

    /// <summary>What was given.</summary>
    /// <exception cref="CliException">Nothing is selected, or more than one thing at once.</exception>
    public HoldRequest Read(ParseResult parsed)
    {
        var selected = _selector.Apply(parsed, new HoldRequest());
        var (isEmpty, all) = (selected == new HoldRequest(), parsed.GetValue(_everything));
        if (isEmpty && !all)
        {
            throw CliException.Usage(
                "Nothing is selected.",
                "Select by --agent, --workload, --task, --credential, …, or say --everything."
            );
        }

        if (!isEmpty && all)
        {
            throw CliException.Usage("--everything and a selector contradict each other.", "Give one of them.");
        }

        if (all && !parsed.GetValue(_confirm))
        {
            throw CliException.Usage("This would stop all issuing.", "If that is meant, add --confirm.");
        }

        return selected with
        {
            Everything = all ? true : null,
            Confirm = all ? true : null,
            AllowNone = parsed.GetValue(_allowNone) ? true : null,
            For = parsed.GetValue(_for),
            Reason = CliException.Reason(parsed.GetValue(_reason)),
        };
    }
}
