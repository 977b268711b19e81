using System.CommandLine;
using CredBroker.Cli.Output;
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
        foreach (var option in All())
        {
            command.Add(option);
        }
    }

    /// <summary>The option by which a selection that reaches nothing is no mistake.</summary>
    public static Option<bool> AllowNone() =>
        new("--allow-none") { Description = "Go on although nothing is selected; otherwise that is exit code 5" };

    /// <summary>What was given, to be shown as part of another command.</summary>
    public string Typed(ParseResult parsed) =>
        string.Join(
            ' ',
            All()
                .Where(option => parsed.GetValue(option) is not null)
                .Select(option => $"{option.Name} {Quoted(Printable.Text(parsed.GetValue(option)!))}")
        );

    private static string Quoted(string value) =>
        value.All(character => char.IsAsciiLetterOrDigit(character) || "._:/@+=~-".Contains(character))
            ? value
            : $"'{value.Replace("'", """'\''""", StringComparison.Ordinal)}'";

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

    private IEnumerable<Option<string?>> All() =>
        [_agent, _workload, _instance, _subject, _task, _process, _credential, _owner, _issuer, _trustDomain];

    private static Option<string?> Text(string name, string helpName, string description) =>
        new(name) { HelpName = helpName, Description = description };

    /// <summary>What a selection reaches, for people: <c>agent triage, credential billing</c>.</summary>
    public static string Words(LeaseSelection selection, bool isEverything) =>
        isEverything
            ? "everything"
            : string.Join(
                ", ",
                new[]
                {
                    ("lease", selection.Lease),
                    ("agent", selection.Agent),
                    ("workload", selection.Workload),
                    ("instance", selection.Instance),
                    ("subject", selection.Subject),
                    ("task", selection.Task),
                    ("process", selection.Process),
                    ("credential", selection.Credential),
                    ("owner", selection.Owner),
                    ("issuer", selection.Issuer),
                    ("trust domain", selection.TrustDomain),
                }
                    .Where(field => field.Item2 is not null)
                    .Select(field => $"{field.Item1} {field.Item2}")
            );
}
