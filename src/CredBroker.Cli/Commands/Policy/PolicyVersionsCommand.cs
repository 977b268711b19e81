using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary><c>credbroker policy versions</c>: what was applied, newest first.</summary>
internal sealed class PolicyVersionsCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<long?> _before = new("--before")
    {
        HelpName = "VERSION",
        Description = "Only versions with a lower number",
    };

    public PolicyVersionsCommand(Terminal terminal)
        : base("versions", "The policy's versions that were applied, newest first; 100 at a time.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_before);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var page = await new AdminClient(connection).ListPolicyVersionsAsync(
            parsed.GetValue(_before),
            cancellationToken
        );
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(page, BrokerJson.Default.PolicyVersionListResponse));
            return ExitCodes.Done;
        }

        Grid.Write(
            _terminal,
            format,
            ["Version", "Applied", "By", "What", new Column("Hash", 140)],
            [
                .. page.Versions.Select(version =>
                    new[]
                    {
                        version.Version.ToString(CultureInfo.InvariantCulture),
                        TimeText.Rfc3339(version.AppliedAt),
                        version.Author is { } author ? $"{author.Subject} of {author.Issuer}" : "file",
                        What(version),
                        version.Hash,
                    }
                ),
            ]
        );
        if (page.Next is { } next)
        {
            _terminal.Error.WriteLine($"There are more: --before {next}");
        }

        return ExitCodes.Done;
    }

    private static string What(PolicyVersionResponse version) =>
        version switch
        {
            { Restores: { } restored } => $"back from {version.Parent} to {restored}: {version.Reason}",
            { Parent: { } parent } => $"after {parent}",
            _ => "",
        };
}
