using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using CredBroker.Cli.Output;
using CredBroker.Client;
using CredBroker.Core.Text;
using CredBroker.Vault.Setup;

namespace CredBroker.Cli.Commands.Vault;

/// <summary>
/// <c>credbroker vault setup</c>: prints what the catalogue needs in Vault, compares it, or makes what is missing and
/// changes what is the installation's own. It never edits what it did not make.
/// </summary>
internal sealed class VaultSetupCommand : Command
{
    private readonly Terminal _terminal;
    private readonly VaultTarget _target;
    private readonly Option<string> _format = new("--format")
    {
        HelpName = "FORMAT",
        Description =
            "What is printed: calls (of the HTTP API), sh (a script that runs as printed), hcl (the policies, as files) "
            + "or terraform",
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
    private readonly Option<string?> _out = new("--out")
    {
        HelpName = "FOLDER",
        Description = "With --format hcl: write each policy into a file of its own there",
    };
    private readonly Option<bool> _compare = new("--compare")
    {
        Description = "Print nothing of it, but how Vault stands to it, with each difference; changes nothing",
    };
    private readonly Option<bool> _apply = new("--apply")
    {
        Description = "Show the differences, make what is missing, and change what is this installation's own",
    };
    private readonly Option<string?> _tokenFile = new("--token-file")
    {
        HelpName = "FILE",
        Description = "Your own Vault token, for --compare and --apply [VAULT_TOKEN]",
    };

    public VaultSetupCommand(Terminal terminal)
        : base(
            "setup",
            "Print exactly what the catalogue needs in Vault, compare it with Vault, or bring Vault up to date."
        )
    {
        (_terminal, _target) = (terminal, new(terminal));
        _format.AcceptOnlyFromAmong("calls", "sh", "hcl", "terraform");
        _target.AddTo(this);
        Add(_format);
        Add(_out);
        Add(_appRole);
        Add(_secretIdTtl);
        Add(_cidrs);
        Add(_compare);
        Add(_apply);
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
            if (parsed.GetValue(_out) is { } folder)
            {
                return await WriteFilesAsync(parsed, plan, folder, cancellationToken);
            }

            _terminal.Out.Write(
                parsed.GetValue(_format) switch
                {
                    "sh" => SetupRenderer.Shell(plan),
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
        var compared = await run.CompareAsync(plan, cancellationToken);
        var leftOver = await run.FindLeftOverAsync(plan, cancellationToken);
        var output = OutputOption.Of(parsed, _terminal);
        if (!parsed.GetValue(_apply))
        {
            new SetupOutput(_terminal, output).Write(compared, plan, leftOver);
            return compared.IsComplete ? ExitCodes.Done : ExitCodes.FaultsFound;
        }

        // What will change is shown before it does, whatever becomes of it.
        SetupOutput.WriteDifferences(_terminal.Error, compared);
        var applied = await run.ApplyAsync(compared, cancellationToken);
        new SetupOutput(_terminal, output).Write(applied, plan, leftOver, isApplied: true);
        return applied is { IsComplete: true, FileFaults: [] } ? ExitCodes.Done : ExitCodes.FaultsFound;
    }

    private async Task<int> WriteFilesAsync(
        ParseResult parsed,
        SetupPlan plan,
        string folder,
        CancellationToken cancellationToken
    )
    {
        if (parsed.GetValue(_format) != "hcl")
        {
            throw CliException.Usage("--out is of policy files.", "Add --format hcl.");
        }

        Directory.CreateDirectory(folder);
        foreach (var (file, text) in SetupRenderer.PolicyFiles(plan))
        {
            await File.WriteAllTextAsync(Path.Combine(folder, file), text, cancellationToken);
            _terminal.Out.WriteLine(Path.Combine(folder, file));
        }

        return ExitCodes.Done;
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
}
