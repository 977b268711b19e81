using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Client;
using CredBroker.Core.Text;
using CredBroker.Vault.Setup;

namespace CredBroker.Cli.Commands.Vault;

/// <summary>
/// <c>credbroker vault setup</c>: prints what the catalogue needs in Vault, compares it, or makes what is missing. It
/// never edits what it did not make.
/// </summary>
internal sealed class VaultSetupCommand : Command
{
    private readonly Terminal _terminal;
    private readonly VaultTarget _target;
    private readonly Option<string> _format = new("--format")
    {
        HelpName = "FORMAT",
        Description =
            "What is printed: calls (of the HTTP API), hcl (policies, and the commands that write them) or terraform",
        DefaultValueFactory = _ => "calls",
    };
    private readonly Option<string?> _appRole = new("--approle")
    {
        HelpName = "MOUNT",
        Description = "The broker logs in by the AppRole method at this mount; without it, by a token file",
    };
    private readonly Option<TimeSpan?> _secretIdTtl = new("--secret-id-ttl")
    {
        HelpName = "DURATION",
        Description = "With --approle: how long a secret id of the broker lives [2160h]",
        CustomParser = ParseTtl,
    };
    private readonly Option<IPNetwork[]> _cidrs = new("--cidr")
    {
        HelpName = "CIDR",
        Description = "With --approle: from where the broker logs in and uses its token; repeat for more",
        CustomParser = ParseNetworks,
    };
    private readonly Option<bool> _compare = new("--compare")
    {
        Description = "Print nothing of it, but how Vault stands to it; changes nothing",
    };
    private readonly Option<bool> _apply = new("--apply") { Description = "Make what is missing" };
    private readonly Option<bool> _replace = new("--replace")
    {
        Description = "With --apply: bring this installation's database roles that say something else up to date, too",
    };
    private readonly Option<string?> _tokenFile = new("--token-file")
    {
        HelpName = "FILE",
        Description = "Your own Vault token, for --compare and --apply [VAULT_TOKEN]",
    };

    public VaultSetupCommand(Terminal terminal)
        : base(
            "setup",
            "Print exactly what the catalogue needs in Vault, compare it with Vault, or make what is missing."
        )
    {
        (_terminal, _target) = (terminal, new(terminal));
        _format.AcceptOnlyFromAmong("calls", "hcl", "terraform");
        _target.AddTo(this);
        Add(_format);
        Add(_appRole);
        Add(_secretIdTtl);
        Add(_cidrs);
        Add(_compare);
        Add(_apply);
        Add(_replace);
        Add(_tokenFile);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var plan = SetupPlan.For(
            _target.Installation(parsed),
            await _target.CatalogueAsync(parsed, cancellationToken),
            AppRole(parsed)
        );
        if (plan.Faults.Count > 0)
        {
            foreach (var fault in plan.Faults)
            {
                _terminal.Error.WriteLine(Printable.Text(fault));
            }

            return ExitCodes.FaultsFound;
        }

        if (!parsed.GetValue(_apply) && !parsed.GetValue(_compare))
        {
            _terminal.Out.Write(
                parsed.GetValue(_format) switch
                {
                    "hcl" => SetupRenderer.Hcl(plan),
                    "terraform" => SetupRenderer.Terraform(plan),
                    _ => SetupRenderer.ApiCalls(plan),
                }
            );
            return ExitCodes.Done;
        }

        // The login of these settings is the broker's and not used here: setup works with the operator's own token.
        var options = _target.Options(parsed, tokenFile: "(the operator's)", appRole: null);
        using var run = new SetupRun(options, await OperatorTokenAsync(parsed, cancellationToken), _terminal.Time);
        var report = parsed.GetValue(_apply)
            ? await run.ApplyAsync(plan, cancellationToken, parsed.GetValue(_replace))
            : await run.CompareAsync(plan, cancellationToken);
        Write(report, plan, OutputOption.Of(parsed, _terminal));
        return report.IsComplete ? ExitCodes.Done : ExitCodes.FaultsFound;
    }

    private AppRoleSetup? AppRole(ParseResult parsed)
    {
        var (ttl, networks) = (parsed.GetValue(_secretIdTtl), parsed.GetValue(_cidrs) ?? []);
        if (parsed.GetValue(_appRole) is { } mount)
        {
            var made = new AppRoleSetup(mount) { BoundTo = networks };
            return ttl is { } life ? made with { SecretIdTtl = life } : made;
        }

        return ttl is null && networks.Length == 0
            ? null
            : throw CliException.Usage("--secret-id-ttl and --cidr are of an AppRole.", "Add --approle MOUNT.");
    }

    private static TimeSpan? ParseTtl(ArgumentResult result)
    {
        if (WireDuration.TryParse(result.Tokens[0].Value, out var duration) && duration >= TimeSpan.FromHours(1))
        {
            return duration;
        }

        result.AddError($"\"{result.Tokens[0].Value}\" is no time of an hour or more: write one such as 2160h.");
        return null;
    }

    private static IPNetwork[] ParseNetworks(ArgumentResult result)
    {
        var networks = new List<IPNetwork>();
        foreach (var token in result.Tokens)
        {
            if (IPNetwork.TryParse(token.Value, out var network))
            {
                networks.Add(network);
            }
            else
            {
                result.AddError($"\"{token.Value}\" is no network: write one such as 10.1.2.0/24 or 10.1.2.3/32.");
            }
        }

        return [.. networks];
    }

    private async Task<SecretText> OperatorTokenAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        if (parsed.GetValue(_tokenFile) is { } path)
        {
            return new(await TokenSource.File(path).ReadAsync(cancellationToken));
        }

        return new(
            _terminal.Variable("VAULT_TOKEN")
                ?? throw CliException.Usage(
                    "There is no Vault token.",
                    "Set VAULT_TOKEN, or name a file with --token-file. It is your own token, not the broker's."
                )
        );
    }

    private void Write(SetupReport report, SetupPlan plan, OutputFormat output)
    {
        if (output == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(
                JsonSerializer.Serialize(
                    [
                        .. report.Findings.Select(finding => new SetupFindingOutput(
                            Word(finding.State),
                            Word(finding.Step.Kind),
                            finding.Step.Path,
                            finding.Details
                        )),
                    ],
                    CliJson.Default.SetupFindingOutputArray
                )
            );
            return;
        }

        Grid.Write(
            _terminal,
            output,
            ["Path", "What", "State"],
            [
                .. report.Findings.Select(finding =>
                    new[]
                    {
                        finding.Step.Path,
                        Word(finding.Step.Kind).Replace('-', ' '),
                        finding.Details.Count == 0
                            ? Word(finding.State)
                            : $"{Word(finding.State)}: {string.Join("; ", finding.Details)}",
                    }
                ),
            ]
        );
        foreach (var note in plan.Notes)
        {
            _terminal.Error.WriteLine($"Note: {Printable.Text(note)}");
        }

        _terminal.Error.WriteLine(Summary(report, plan.Steps.Count));
    }

    private static string Summary(SetupReport report, int steps)
    {
        int Count(SetupState state) => report.Findings.Count(finding => finding.State == state);
        return report switch
        {
            { IsUnchanged: true } => "Vault holds everything that the catalogue needs.",
            { IsComplete: true } => $"Done: {Count(SetupState.Made)} made, {Count(SetupState.Updated)} updated, "
                + $"{Count(SetupState.Present)} were there.",
            _ when Count(SetupState.Failed) > 0 && report.Findings.Count < steps =>
                $"Stopped: the last step failed, {steps - report.Findings.Count} were not tried. "
                    + "What is made stays; run it again.",
            _ => $"Not complete: {Count(SetupState.Missing)} missing (--apply makes them), {Count(SetupState.Differs)} "
                + $"differ (--apply --replace brings database roles up to date; change what else there is yourself), {Count(SetupState.Failed)} failed.",
        };
    }

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}
