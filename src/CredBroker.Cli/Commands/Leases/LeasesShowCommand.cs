using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Leases;

/// <summary><c>credbroker leases show</c>: everything that is known of one lease, never its secret.</summary>
internal sealed class LeasesShowCommand : Command
{
    private readonly Argument<string> _lease = new("LEASE")
    {
        Description = "The lease's id, or how it begins",
        Validators = { KnownIds.Check },
    };
    private readonly Watch _watch = new();

    public LeasesShowCommand(Terminal terminal)
        : base("show", "One lease: who holds it, what it was decided from, where it stands.")
    {
        var broker = new BrokerOptions(terminal);
        Add(_lease);
        _watch.AddTo(this);
        broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(
            async (parsed, cancellationToken) =>
            {
                using var connection = broker.ConnectAsPerson(parsed);
                var client = new AdminClient(connection);
                var id = await KnownIds.LeaseAsync(client, parsed.GetRequiredValue(_lease), cancellationToken);
                return await _watch.RunAsync(
                    parsed,
                    terminal,
                    async shown =>
                    {
                        var lease = await FindAsync(client, id, cancellationToken);
                        Write(lease, OutputOption.Of(parsed, terminal), shown);
                        return new(ExitCodes.Done, LeaseStates.IsFinal(lease.State));
                    },
                    cancellationToken
                );
            }
        );
    }

    private static async Task<LeaseResponse> FindAsync(
        AdminClient client,
        string id,
        CancellationToken cancellationToken
    ) =>
        (await client.ListLeasesAsync(new() { Lease = id, Limit = 1 }, cancellationToken)).Leases is [var lease, ..]
            ? lease
            : throw new CliException(
                ExitCodes.Refused,
                $"There is no lease {id}.",
                "credbroker leases list --state all"
            );

    private static void Write(LeaseResponse lease, OutputFormat format, Terminal terminal)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(lease, BrokerJson.Default.LeaseResponse));
            return;
        }

        string At(DateTimeOffset? moment) => TimeText.Full(moment, format, terminal.Time);
        Grid.WriteFields(
            terminal,
            format,
            [
                ("Lease", lease.LeaseId),
                ("State", lease.State),
                ("Credential", $"{lease.Credential} ({lease.Engine})"),
                ("Actions", string.Join(", ", lease.Actions)),
                ("Resource", lease.Resource),
                .. (lease.Params ?? new Dictionary<string, string>()).Select(param =>
                    ($"Parameter {param.Key}", (string?)param.Value)
                ),
                ("Process / task", $"{lease.Task.Process} / {lease.Task.Id}"),
                ("Purpose (stated)", lease.Task.Purpose),
                ("Agent", LeaseTable.Agent(lease)),
                ("Issuer", lease.Holder?.Issuer),
                ("Subject", lease.Holder?.Subject),
                ("SPIFFE ID", lease.Holder?.SpiffeId),
                (
                    "Claims",
                    lease.Holder?.Claims is { Count: > 0 } claims
                        ? string.Join(", ", claims.Select(claim => $"{claim.Key}={claim.Value.GetRawText()}"))
                        : null
                ),
                ("Owner", lease.Owner is { } owner ? $"{owner.Contact} ({owner.Subject} of {owner.Issuer})" : null),
                (
                    "Decision",
                    $"{lease.Decision.Id}, policy version {lease.Decision.PolicyVersion}"
                        + $"{(lease.RuleId is { } rule ? $", rule {rule}" : "")}"
                ),
                ("Opened", At(lease.OpenedAt)),
                ("Issued", At(lease.ActivatedAt)),
                ("Ends", At(lease.ExpiresAt)),
                ("Grace until", At(lease.GraceUntil)),
                ("Backend name", lease.Vault?.PublicName),
                ("Vault lease", lease.Vault?.LeaseId),
                ("Vault accessor", lease.Vault?.Accessor),
                .. lease.Revocation is { } revocation ? Revocation(revocation, At) : [],
            ]
        );
        LeaseTable.WriteStillValid(terminal, lease.StillValid ?? []);
    }

    private static IEnumerable<(string, string?)> Revocation(
        LeaseRevocationResponse revocation,
        Func<DateTimeOffset?, string> at
    ) =>
        [
            ("Revoked because", revocation.Cause),
            ("Requested by", revocation.RequestedBy),
            ("Requested", at(revocation.RequestedAt)),
            (
                "Confirmed",
                revocation is { ConfirmedAt: { } confirmed, RequestedAt: { } requested }
                    ? $"{at(confirmed)}, after {TimeText.Duration(confirmed - requested)}"
                    : null
            ),
            ("On the word of", revocation.ConfirmedBy),
            ("Order", revocation.RevocationId),
            ("Failed attempts", revocation.Attempts is > 0 ? $"{revocation.Attempts}" : null),
            ("Last error", revocation.LastError),
            ("Next attempt", at(revocation.NextAttemptAt)),
        ];
}
