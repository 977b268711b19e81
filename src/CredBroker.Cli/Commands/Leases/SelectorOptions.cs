using System.CommandLine;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Leases;

/// <summary>The fields that select leases: all that are given must hold.</summary>
internal sealed class SelectorOptions
{
    private readonly Option<string?> _agent = Text("--agent", "NAME", "An agent, as the policy names it");
    private readonly Option<string?> _workload = Text("--workload", "NAME", "A workload");
    private readonly Option<string?> _instance = Text("--instance", "ID", "One running instance");
    private readonly Option<string?> _subject = Text("--subject", "SUB", "The token's subject");
    private readonly Option<string?> _task = Text("--task", "ID", "A task");
    private readonly Option<string?> _process = Text("--process", "NAME", "A business process");
    private readonly Option<string?> _credential = Text("--credential", "NAME", "A credential of the catalogue");
    private readonly Option<string?> _owner = Text("--owner", "SUB", "The process owner's subject");
    private readonly Option<string?> _issuer = Text("--issuer", "URL", "The identity's issuer");
    private readonly Option<string?> _trustDomain = Text("--trust-domain", "NAME", "The SPIFFE trust domain");

    public void AddTo(Command command)
    {
        foreach (
            var option in new[]
            {
                _agent,
                _workload,
                _instance,
                _subject,
                _task,
                _process,
                _credential,
                _owner,
                _issuer,
                _trustDomain,
            }
        )
        {
            command.Add(option);
        }
    }

    /// <summary>The list's filter or the revocation's order with what was given.</summary>
    public TSelection Apply<TSelection>(ParseResult parsed, TSelection selection)
        where TSelection : LeaseSelection =>
        selection with
        {
            Agent = parsed.GetValue(_agent),
            Workload = parsed.GetValue(_workload),
            Instance = parsed.GetValue(_instance),
            Subject = parsed.GetValue(_subject),
            Task = parsed.GetValue(_task),
            Process = parsed.GetValue(_process),
            Credential = parsed.GetValue(_credential),
            Owner = parsed.GetValue(_owner),
            Issuer = parsed.GetValue(_issuer),
            TrustDomain = parsed.GetValue(_trustDomain),
        };

    private static Option<string?> Text(string name, string helpName, string description) =>
        new(name) { HelpName = helpName, Description = description };
}
