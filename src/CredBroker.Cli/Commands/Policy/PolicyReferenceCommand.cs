using System.CommandLine;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy reference</c>: what a policy document may say.</summary>
internal sealed class PolicyReferenceCommand : Command
{
    public PolicyReferenceCommand(Terminal terminal)
        : base(
            "reference",
            "Print what a policy may say (Markdown): every key, and every name, type and function of its conditions."
        ) => SetAction(_ => terminal.Out.WriteLine(PolicyManual.ReadReference().TrimEnd()));
}
