using System.CommandLine;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy schema</c>: what editors check and complete a policy document with.</summary>
internal sealed class PolicySchemaCommand : Command
{
    private readonly Option<bool> _tests = new("--tests")
    {
        Description = "That of a file of policy tests (*.test.yaml)",
    };

    public PolicySchemaCommand(Terminal terminal)
        : base(
            "schema",
            """
            Print the JSON Schema of the policy document, for editors that check and complete YAML.
            Keep it beside the document: credbroker policy schema > policy.schema.json
            and begin the document with:  # yaml-language-server: $schema=./policy.schema.json
            """
        )
    {
        Add(_tests);
        SetAction(parsed =>
            terminal.Out.WriteLine(
                (parsed.GetValue(_tests) ? PolicyManual.ReadTestSchema() : PolicyManual.ReadSchema()).TrimEnd()
            )
        );
    }
}
