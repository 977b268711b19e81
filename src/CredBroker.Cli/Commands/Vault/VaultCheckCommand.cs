using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.Cli.Commands.Vault;

/// <summary>
/// <c>credbroker vault check</c>: with the broker's own login, whether it can do what the catalogue needs and nothing
/// else; <c>--orphans</c> looks for strays.
/// </summary>
internal sealed class VaultCheckCommand : Command
{
    private readonly Terminal _terminal;
    private readonly VaultTarget _target;
    private readonly OrphanSearch _orphanSearch;
    private readonly Option<string?> _tokenFile = new("--token-file")
    {
        HelpName = "FILE",
        Description = "The broker's own Vault token, as in its setting Vault:TokenFile",
    };
    private readonly Option<string?> _roleId = new("--role-id")
    {
        HelpName = "ID",
        Description = "Or its AppRole, as in Vault:AppRole",
    };
    private readonly Option<string?> _secretIdFile = new("--secret-id-file")
    {
        HelpName = "FILE",
        Description = "The file that holds the AppRole's secret id",
    };
    private readonly Option<string> _mount = new("--approle")
    {
        HelpName = "MOUNT",
        Description = "Where AppRole is mounted",
        DefaultValueFactory = _ => "approle",
    };
    private readonly Option<bool> _orphans = new("--orphans")
    {
        Description =
            "Instead: list leases in Vault that no live lease of the broker holds "
            + "(needs --server and an admin's token)",
    };

    public VaultCheckCommand(Terminal terminal)
        : base(
            "check",
            "With the broker's own login: "
                + "can it do what the catalogue needs, has it proven that it can revoke, and can it do nothing else?"
        )
    {
        (_terminal, _target, _orphanSearch) = (terminal, new(terminal), new(terminal));
        _target.AddTo(this);
        Add(_tokenFile);
        Add(_roleId);
        Add(_secretIdFile);
        Add(_mount);
        Add(_orphans);
        _orphanSearch.AddTo(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var options = _target.Options(parsed, parsed.GetValue(_tokenFile) ?? "", AppRole(parsed));
        var catalogue = await _target.CatalogueAsync(parsed, cancellationToken);
        return parsed.GetValue(_orphans)
            ? await _orphanSearch.RunAsync(parsed, options, catalogue, cancellationToken)
            : await CheckAsync(parsed, options, catalogue, cancellationToken);
    }

    private AppRoleOptions? AppRole(ParseResult parsed) =>
        (parsed.GetValue(_roleId), parsed.GetValue(_secretIdFile)) switch
        {
            (null, null) => null,
            var (id, file) => new()
            {
                Mount = parsed.GetRequiredValue(_mount),
                RoleId = id ?? "",
                SecretIdFile = file ?? "",
            },
        };

    private async Task<int> CheckAsync(
        ParseResult parsed,
        VaultOptions options,
        IReadOnlyList<CatalogueEntry> catalogue,
        CancellationToken cancellationToken
    )
    {
        var cluster = new VaultCluster();
        using var check = new VaultCheck(options, _terminal.Time, NullLogger<VaultSecretIssuer>.Instance, cluster);
        List<CheckFinding> findings = [.. await check.RunAsync(catalogue, cancellationToken)];
        if (await _orphanSearch.IsOfStoreAsync(parsed, options, cluster.Seen, cancellationToken) is { } ofStore)
        {
            findings.Add(ofStore);
        }

        var failed = findings.Where(finding => finding is { Passed: false, MeansNothing: false }).ToList();
        var worthless = findings.Count(finding => finding.MeansNothing);
        if (OutputOption.Of(parsed, _terminal) is var format && format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(
                JsonSerializer.Serialize(
                    [
                        .. findings.Select(finding => new CheckFindingOutput(
                            finding.Passed,
                            finding.What,
                            finding.Detail
                        )
                        {
                            MeansNothing = finding.MeansNothing ? true : null,
                        }),
                    ],
                    CliJson.Default.CheckFindingOutputArray
                )
            );
        }
        else
        {
            Grid.Write(
                _terminal,
                format,
                ["Result", "Check", "Cure"],
                [.. findings.Select(finding => new[] { Word(finding), finding.What, finding.Detail })]
            );
            _terminal.Error.WriteLine(
                failed.Count == 0
                    ? $"All {findings.Count} checks passed."
                    : $"{failed.Count} of {findings.Count} checks failed. "
                        + $"The first: {Printable.Text(failed[0].What)}: {Printable.Text(failed[0].Detail)}"
            );
            if (worthless > 0)
            {
                _terminal.Error.WriteLine(
                    $"{worthless} more mean nothing: this is a root token, which may do everything. "
                        + "Look again with the broker's own login."
                );
            }
        }

        return findings.TrueForAll(finding => finding.Passed) ? ExitCodes.Done : ExitCodes.FaultsFound;
    }

    private static string Word(CheckFinding finding) =>
        finding switch
        {
            { MeansNothing: true } => "no meaning",
            { Passed: true } => "ok",
            _ => "failed",
        };
}
