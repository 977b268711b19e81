using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary>
/// <c>credbroker approvals watch</c>: requests as they come and are decided, until it is interrupted. It connects again
/// where the stream ends or breaks, and goes on after what it has shown.
/// </summary>
internal sealed class ApprovalsWatchCommand : Command
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;

    public ApprovalsWatchCommand(Terminal terminal)
        : base("watch", "The open requests that you may decide, then each one as it changes. Ends with Ctrl-C.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        try
        {
            await FollowAsync(parsed, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It ends by Ctrl-C, or where nobody reads it any more.
        }

        return ExitCodes.Done;
    }

    private async Task FollowAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection, _terminal.Time);
        var (pause, last) = (FirstPause, (long?)null);
        while (true)
        {
            try
            {
                await foreach (var told in client.WatchApprovalsAsync(last, cancellationToken))
                {
                    Write(told.Approval, format);
                    (pause, last) = (FirstPause, Math.Max(told.Number, last ?? 0));
                    if (_terminal.OutIsClosed())
                    {
                        return;
                    }
                }
            }
            catch (Exception e) when (Watch.IsPassing(e))
            {
                _terminal.Error.WriteLine(
                    $"The stream broke off; connecting again in {TimeText.Duration(pause)}. {Printable.Text(e.Message)}"
                );
            }

            await Task.Delay(pause, _terminal.Time, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private void Write(ApprovalResponse approval, OutputFormat format) =>
        _terminal.Out.WriteLine(
            format == OutputFormat.Json
                ? JsonSerializer.Serialize(approval, BrokerJson.Default.ApprovalResponse)
                : string.Join(
                    "  ",
                    approval.State.PadRight(8),
                    approval.ApprovalId,
                    Printable.Text(approval.Requester.Agent ?? approval.Requester.Subject),
                    Printable.Text(Credential(approval)),
                    Printable.Text(approval.Process),
                    WireDuration.Format(approval.Ttl),
                    $"ends {TimeText.Short(approval.ExpiresAt, format, _terminal.Time)}"
                )
        );

    // With its parameters, which say which of its secrets it is.
    private static string Credential(ApprovalResponse approval) =>
        string.Join(
            ' ',
            (approval.Params ?? new Dictionary<string, string>())
                .OrderBy(parameter => parameter.Key, StringComparer.Ordinal)
                .Select(parameter => $"{parameter.Key}={parameter.Value}")
                .Prepend(approval.Credential)
        );
}
