using System.CommandLine;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Leases;

/// <summary>The fields that select leases: all that are given must hold.</summary>
internal sealed class SelectorOptions
{
    private readonly Option<string?> agent = Text("--agent", "NAME", "An agent, as the policy names it");
    private readonly Option<string?> workload = Text("--workload", "NAME", "A workload");
    private readonly Option<string?> instance = Text("--instance", "ID", "One running instance");
    private readonly Option<string?> subject = Text("--subject", "SUB", "The token's subject");
    private readonly Option<string?> task = Text("--task", "ID", "A task");
    private readonly Option<string?> process = Text("--process", "NAME", "A business process");
    private readonly Option<string?> credential = Text("--credential", "NAME", "A credential of the catalogue");
    private readonly Option<string?> owner = Text("--owner", "SUB", "The process owner's subject");
    private readonly Option<string?> issuer = Text("--issuer", "URL", "The identity's issuer");
    private readonly Option<string?> trustDomain = Text("--trust-domain", "NAME", "The SPIFFE trust domain");

    public void AddTo(Command command)
    {
        foreach (var option in new[] { agent, workload, instance, subject, task, process, credential, owner, issuer, trustDomain })
        {
            command.Add(option);
        }
    }

    public LeaseFilter Filter(ParseResult parsed) => new()
    {
        Agent = parsed.GetValue(agent),
        Workload = parsed.GetValue(workload),
        Instance = parsed.GetValue(instance),
        Subject = parsed.GetValue(subject),
        Task = parsed.GetValue(task),
        Process = parsed.GetValue(process),
        Credential = parsed.GetValue(credential),
        Owner = parsed.GetValue(owner),
        Issuer = parsed.GetValue(issuer),
        TrustDomain = parsed.GetValue(trustDomain),
    };

    public RevocationRequest Revocation(ParseResult parsed)
    {
        var filter = Filter(parsed);
        return new()
        {
            Agent = filter.Agent,
            Workload = filter.Workload,
            Instance = filter.Instance,
            Subject = filter.Subject,
            Task = filter.Task,
            Process = filter.Process,
            Credential = filter.Credential,
            Owner = filter.Owner,
            Issuer = filter.Issuer,
            TrustDomain = filter.TrustDomain,
        };
    }

    private static Option<string?> Text(string name, string helpName, string description) => new(name) { HelpName = helpName, Description = description };
}
