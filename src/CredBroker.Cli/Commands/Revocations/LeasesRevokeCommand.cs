using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Commands.Leases;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Revocations;

/// <summary>
/// <c>credbroker leases revoke</c>: orders a revocation and shows it until Vault has confirmed every lease.
/// </summary>
internal sealed class LeasesRevokeCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly SelectorOptions _selector = new();
    private readonly Argument<string?> _lease = new("LEASE")
    {
        Description = "One lease's id, or how it begins",
        Arity = ArgumentArity.ZeroOrOne,
        Validators = { KnownIds.Check },
    };
    private readonly Option<bool> _everything = new("--everything")
    {
        Description = "Every lease there is; needs --confirm",
    };
    private readonly Option<bool> _confirm = new("--confirm") { Description = "Says that --everything is meant" };
    private readonly Option<bool> _allowNone = SelectorOptions.AllowNone();
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only list what would be revoked" };
    private readonly Option<string?> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why; stands in the audit log. Needed but for --dry-run",
    };
    private readonly Option<TimeSpan?> _wait = RevocationWatch.WaitOption();

    public LeasesRevokeCommand(Terminal terminal)
        : base("revoke", "Take secrets back: by lease, or by any of the selectors below, which must all hold.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_lease);
        _selector.AddTo(this);
        Add(_everything);
        Add(_confirm);
        Add(_allowNone);
        Add(_dryRun);
        Add(_reason);
        Add(_wait);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        var request = Request(parsed);
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection, _terminal.Time);
        if (request.Lease is { } lease)
        {
            request = request with { Lease = await KnownIds.LeaseAsync(client, lease, cancellationToken) };
        }

        if (parsed.GetValue(_dryRun))
        {
            var preview = await client.PreviewRevocationAsync(request, cancellationToken);
            return TellPreview(preview, request.Everything == true, format);
        }

        var order = (await client.RevokeAsync(request, cancellationToken)).RevocationId;
        _terminal.Error.WriteLine($"Ordered: {order}. It is carried out even if you stop watching.");
        var progress = await new RevocationWatch(client, _terminal).UntilCompleteAsync(
            order,
            parsed.GetRequiredValue(_wait)!.Value,
            cancellationToken
        );
        if (request is { Everything: null, Lease: null } && format != OutputFormat.Json)
        {
            _terminal.Error.WriteLine(
                "What was revoked can be asked for anew: to refuse that too, "
                    + $"credbroker quarantine {_selector.Typed(parsed)} --reason TEXT"
            );
        }

        return RevocationReport.Tell(_terminal, order, progress, format);
    }

    private RevocationRequest Request(ParseResult parsed)
    {
        var selected = _selector.Apply(parsed, new RevocationRequest { Lease = parsed.GetValue(_lease) });
        var (isEmpty, all) = (selected == new RevocationRequest(), parsed.GetValue(_everything));
        if (isEmpty && !all)
        {
            throw CliException.Usage(
                "Nothing is selected.",
                "Name a lease, or select by --agent, --task, --credential, …; see credbroker leases revoke --help."
            );
        }

        if (!isEmpty && all)
        {
            throw CliException.Usage("--everything and a selector contradict each other.", "Give one of them.");
        }

        if (all && !parsed.GetValue(_confirm) && !parsed.GetValue(_dryRun))
        {
            throw CliException.Usage(
                "This would revoke every lease there is.",
                "Look first with --dry-run; then add --confirm."
            );
        }

        return selected with
        {
            Everything = all ? true : null,
            Confirm = parsed.GetValue(_confirm) ? true : null,
            AllowNone = parsed.GetValue(_allowNone) ? true : null,
            Reason = parsed.GetValue(_dryRun) ? null : CliException.Reason(parsed.GetValue(_reason)),
        };
    }

    private int TellPreview(RevocationResponse preview, bool isEverything, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(preview, BrokerJson.Default.RevocationResponse));
            return ExitCodes.Done;
        }

        if (preview.Leases.Count == 0 && !isEverything)
        {
            _terminal.Error.WriteLine("No live lease is selected: nothing would be revoked.");
            return ExitCodes.Done;
        }

        LeaseTable.Write(_terminal, format, preview.Leases);
        LeaseTable.WriteStillValid(_terminal, preview.StillValid);
        var strays = isEverything ? ", and what Vault holds beside that no record knows" : "";
        _terminal.Error.WriteLine(
            $"{RevocationReport.Count(preview.Counts.Values.Sum())} would be revoked{strays}. "
                + "Nothing was; leave --dry-run away to do it."
        );
        return ExitCodes.Done;
    }
}
