using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Vault;

/// <summary>
/// <c>credbroker vault cluster</c>: which cluster of Vault the broker believes and which one answers, and believing that
/// one.
/// </summary>
internal sealed class VaultClusterCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<string?> _accept = new("--accept")
    {
        HelpName = "CLUSTER",
        Description = "Believe this cluster from now on: it must be the one that answers; needs --reason",
    };
    private readonly Option<string?> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why it is accepted; stands in the audit log",
    };

    public VaultClusterCommand(Terminal terminal)
        : base("cluster", "The cluster of Vault that the broker's secrets are in, and the one that answers.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_accept);
        Add(_reason);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        var (accept, reason) = (parsed.GetValue(_accept), parsed.GetValue(_reason));
        if (string.IsNullOrWhiteSpace(accept) != string.IsNullOrWhiteSpace(reason))
        {
            throw CliException.Usage(
                "--accept and --reason belong together.",
                "First look with credbroker vault cluster; if the one that answers is right, add --accept CLUSTER "
                    + "--reason TEXT."
            );
        }

        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var cluster = string.IsNullOrWhiteSpace(accept)
            ? await client.GetVaultClusterAsync(cancellationToken)
            : await client.AcceptVaultClusterAsync(new() { Cluster = accept, Reason = reason! }, cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(cluster, BrokerJson.Default.VaultClusterResponse));
        }
        else
        {
            Grid.WriteFields(
                _terminal,
                format,
                [
                    ("Believed", cluster.Accepted ?? "none yet"),
                    ("Since", cluster.ChangedAt is { } at ? TimeText.Rfc3339(at) : "the first contact"),
                    ("Answering", cluster.Answering is { Length: > 0 } answering ? answering : "it does not say"),
                    ("Store's place", Place(cluster.AcceptedInstallation, cluster.AcceptedNamespace)),
                    ("Broker's place", Place(cluster.Installation, cluster.Namespace)),
                    ("Issuing", Issuing(cluster)),
                ]
            );
        }

        return cluster.KeepsFromIssuing ? ExitCodes.FaultsFound : ExitCodes.Done;
    }

    private static string Issuing(VaultClusterResponse cluster) =>
        cluster switch
        {
            { WentBack: true } => "stopped: it has gone back",
            { KeepsFromIssuing: true } => "stopped: the two differ",
            _ => "not kept by this",
        };

    private static string Place(string? installation, string? name) =>
        (installation, name) switch
        {
            (null, _) => "not on record",
            (_, null or "") => installation,
            _ => $"{installation} in {name}",
        };
}
