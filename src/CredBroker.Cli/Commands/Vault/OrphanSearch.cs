using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.Cli.Commands.Vault;

/// <summary>
/// Secrets in Vault under this installation's roles that no live lease of the broker holds: what a crash or a restored
/// backup may have left.
/// </summary>
internal sealed class OrphanSearch(Terminal terminal)
{
    private const int PageSize = 1000;
    private static readonly string[] Live =
    [
        LeaseStates.Pending,
        LeaseStates.Active,
        LeaseStates.Revoking,
        LeaseStates.Failed,
    ];

    private readonly BrokerOptions _broker = new(terminal, "--admin-token-file");
    private readonly Option<bool> _revoke = new("--revoke") { Description = "With --orphans: revoke them" };
    private readonly Option<TimeSpan?> _olderThan = new("--older-than")
    {
        HelpName = "5m",
        Description = "With --orphans: younger ones may belong to an exchange under way",
        CustomParser = RequestOptions.ParseDuration,
        DefaultValueFactory = _ => TimeSpan.FromMinutes(5),
    };

    public void AddTo(Command command)
    {
        command.Add(_revoke);
        command.Add(_olderThan);
        _broker.AddForPeople(command);
    }

    /// <summary>
    /// Whether the broker's store has its secrets where Vault was just looked at; null where no broker was named to ask.
    /// </summary>
    public async Task<CheckFinding?> IsOfStoreAsync(
        ParseResult parsed,
        VaultOptions options,
        string? cluster,
        CancellationToken cancellationToken
    )
    {
        if (!_broker.NamesServer(parsed))
        {
            return null;
        }

        using var connection = _broker.ConnectAsPerson(parsed);
        var store = await new AdminClient(connection).GetVaultClusterAsync(cancellationToken);
        var differ = new[]
        {
            Differs("the cluster", store.Accepted, cluster),
            Differs("the installation", store.AcceptedInstallation, options.Installation),
            Differs("the namespace", store.AcceptedNamespace, options.Namespace),
        };
        return new(
            differ.All(difference => difference is null),
            "the broker's store has its secrets in this cluster, installation and namespace",
            differ.All(difference => difference is null)
                ? ""
                : $"The store has {string.Join(", and ", differ.OfType<string>())}. All brokers on a store need the same; a "
                    + "broker with others issues nothing."
        );

        static string? Differs(string what, string? ofStore, string? here) =>
            ofStore is null || ofStore == (here ?? "") ? null : $"{what} \"{ofStore}\", not \"{here}\"";
    }

    public async Task<int> RunAsync(
        ParseResult parsed,
        VaultOptions options,
        IReadOnlyList<CatalogueEntry> catalogue,
        CancellationToken cancellationToken
    )
    {
        using var connection = _broker.ConnectAsPerson(parsed);
        using var issuer = new VaultSecretIssuer(options, terminal.Time, NullLogger<VaultSecretIssuer>.Instance);
        if (await issuer.ProbeAsync(cancellationToken) is { CanIssue: false } status)
        {
            throw new CliException(
                ExitCodes.Unavailable,
                $"Vault cannot be searched: {status.Refusal?.Detail}",
                "Run credbroker vault check without --orphans: it says why."
            );
        }

        var check = new OrphanCheck(issuer, (ids, token) => KnownAsync(new(connection), ids, token), terminal.Time);
        var findings = await check.FindAsync(catalogue, parsed.GetRequiredValue(_olderThan)!.Value, cancellationToken);
        OrphanOutput[] strays = parsed.GetValue(_revoke)
            ?
            [
                .. (await check.RevokeAsync(findings, cancellationToken)).Select(stray => new OrphanOutput(
                    stray.Lease.VaultLeaseId,
                    stray.Lease.IssuedAt,
                    Word(stray.Outcome)
                )),
            ]
            :
            [
                .. findings
                    .SelectMany(finding => finding.Strays ?? [])
                    .Select(lease => new OrphanOutput(lease.VaultLeaseId, lease.IssuedAt, "stray")),
            ];
        return Write(findings, strays, OutputOption.Of(parsed, terminal));
    }

    private int Write(IReadOnlyList<OrphanFinding> findings, OrphanOutput[] strays, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(strays, CliJson.Default.OrphanOutputArray));
        }
        else if (strays.Length > 0)
        {
            Grid.Write(
                terminal,
                format,
                ["Vault lease", "Issued", "State"],
                [
                    .. strays.Select(stray =>
                        new[] { stray.VaultLeaseId, TimeText.Short(stray.IssuedAt, format, terminal.Time), stray.State }
                    ),
                ]
            );
        }

        foreach (var finding in findings.Where(finding => finding.Strays is null))
        {
            terminal.Error.WriteLine(Printable.Text(finding.Why));
        }

        var left = strays.Count(stray => stray.State != "revoked");
        terminal.Error.WriteLine(
            (strays.Length, left) switch
            {
                (0, _) when findings.Any(finding => finding.Strays is null) => "No strays where it could look.",
                (0, _) => "No strays.",
                (_, 0) => $"Strays revoked: {strays.Length}.",
                _ => $"Strays left: {left}. --revoke revokes them.",
            }
        );
        return left == 0 ? ExitCodes.Done : ExitCodes.FaultsFound;
    }

    private static async ValueTask<IReadOnlySet<string>> KnownAsync(
        AdminClient client,
        IReadOnlyCollection<string> ids,
        CancellationToken cancellationToken
    )
    {
        var (known, cursor) = (new HashSet<string>(StringComparer.Ordinal), (string?)null);
        while (ids.Count > 0)
        {
            var page = await client.ListLeasesAsync(
                new()
                {
                    States = Live,
                    Limit = PageSize,
                    Cursor = cursor,
                },
                cancellationToken
            );
            known.UnionWith(page.Leases.Select(lease => lease.Vault?.LeaseId).OfType<string>());
            if ((cursor = page.Next) is null)
            {
                break;
            }
        }

        return known;
    }

    private static string Word(RevokeOutcome outcome) =>
        outcome switch
        {
            RevokeOutcome.Confirmed => "revoked",
            RevokeOutcome.Failed failed => $"failed: {failed.Error}",
            _ => "not proven",
        };
}
