using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy diff</c>: which live leases a document would end.</summary>
internal sealed class PolicyDiffCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string> _file = new("FILE")
    {
        Description = "The policy document; the schemas that it names are read beside it",
    };

    public PolicyDiffCommand(Terminal terminal)
        : base(
            "diff",
            "List the live leases that a policy document would end if it were applied now, and why. "
                + "Nothing is applied. Exit code 5 if the document has faults."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_file);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        var document = await PolicyText.ReadAsync(parsed.GetRequiredValue(_file), cancellationToken);
        using var connection = _broker.ConnectAsPerson(parsed);
        var preview = await new AdminClient(connection).PreviewPolicyAsync(
            new() { Text = document.Text, Schemas = document.Schemas.Count == 0 ? null : document.Schemas },
            cancellationToken
        );
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(preview, BrokerJson.Default.PolicyPreviewResponse));
        }
        else
        {
            Write(preview, format);
        }

        return preview.Faults is null ? ExitCodes.Done : ExitCodes.FaultsFound;
    }

    private void Write(PolicyPreviewResponse preview, OutputFormat format)
    {
        foreach (var fault in preview.Faults ?? [])
        {
            _terminal.Error.WriteLine(Printable.Text(fault));
        }

        if (preview.Faults is not null)
        {
            _terminal.Error.WriteLine("It would be refused, and the version in force would stay.");
            return;
        }

        Grid.Write(
            _terminal,
            format,
            ["Lease", "Agent", "Process", "Credential", "What", "Why"],
            [
                .. preview.Ended.Select(lease => Row(lease, "ends", lease.Rule ?? "")),
                .. preview.Shortened.Select(lease =>
                    Row(lease, "ends earlier", lease.EndsAt is { } end ? TimeText.Rfc3339(end) : "")
                ),
                .. (preview.Unreadable ?? []).Select(id => new[] { id, "", "", "", "ends", "its record is damaged" }),
            ]
        );
        _terminal.Error.WriteLine(
            $"Of {preview.Live} live leases {preview.EndedCount} would end and {preview.ShortenedCount} would end earlier "
                + $"than under version {preview.PolicyVersion}."
        );
    }

    private static string[] Row(PolicyPreviewLease lease, string what, string why) =>
        [lease.LeaseId, lease.Agent, lease.Process, lease.Credential, what, why];
}
