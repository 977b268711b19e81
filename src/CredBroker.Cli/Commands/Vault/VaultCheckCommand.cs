using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Core.Policy;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.Cli.Commands.Vault;

/// <summary><c>credbroker vault check</c>: with the broker's own login, whether it can do what the catalogue needs and nothing else; <c>--orphans</c> looks for strays.</summary>
internal sealed class VaultCheckCommand : Command
{
    private readonly Terminal terminal;
    private readonly VaultTarget target;
    private readonly OrphanSearch orphanSearch;
    private readonly Option<string?> tokenFile = new("--token-file") { HelpName = "FILE", Description = "The broker's own Vault token, as in its setting Vault:TokenFile" };
    private readonly Option<string?> roleId = new("--role-id") { HelpName = "ID", Description = "Or its AppRole, as in Vault:AppRole" };
    private readonly Option<string?> secretIdFile = new("--secret-id-file") { HelpName = "FILE", Description = "The file that holds the AppRole's secret id" };
    private readonly Option<string> mount = new("--approle") { HelpName = "MOUNT", Description = "Where AppRole is mounted", DefaultValueFactory = _ => "approle" };
    private readonly Option<bool> orphans = new("--orphans") { Description = "Instead: list leases in Vault that no live lease of the broker holds (needs --server and an admin's token)" };

    public VaultCheckCommand(Terminal terminal)
        : base("check", "With the broker's own login: can it do what the catalogue needs, has it proven that it can revoke, and can it do nothing else?")
    {
        (this.terminal, target, orphanSearch) = (terminal, new(terminal), new(terminal));
        target.AddTo(this);
        Add(tokenFile);
        Add(roleId);
        Add(secretIdFile);
        Add(mount);
        Add(orphans);
        orphanSearch.AddTo(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var options = target.Options(parsed, parsed.GetValue(tokenFile) ?? "", AppRole(parsed));
        var catalogue = await target.CatalogueAsync(parsed, cancellationToken);
        return parsed.GetValue(orphans)
            ? await orphanSearch.RunAsync(parsed, options, catalogue, cancellationToken)
            : await CheckAsync(parsed, options, catalogue, cancellationToken);
    }

    private AppRoleOptions? AppRole(ParseResult parsed) => (parsed.GetValue(roleId), parsed.GetValue(secretIdFile)) switch
    {
        (null, null) => null,
        var (id, file) => new() { Mount = parsed.GetRequiredValue(mount), RoleId = id ?? "", SecretIdFile = file ?? "" },
    };

    private async Task<int> CheckAsync(ParseResult parsed, VaultOptions options, IReadOnlyList<CatalogueEntry> catalogue, CancellationToken cancellationToken)
    {
        using var check = new VaultCheck(options, terminal.Time, NullLogger<VaultSecretIssuer>.Instance);
        var findings = await check.RunAsync(catalogue, cancellationToken);
        var failed = findings.Where(finding => !finding.Passed).ToList();
        if (OutputOption.Of(parsed, terminal) is var format && format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize([.. findings.Select(finding => new CheckFindingOutput(finding.Passed, finding.What, finding.Detail))], CliJson.Default.CheckFindingOutputArray));
        }
        else
        {
            Grid.Write(terminal, format, ["Result", "Check", "Cure"], [.. findings.Select(finding => new[] { finding.Passed ? "ok" : "failed", finding.What, finding.Detail })]);
            terminal.Error.WriteLine(failed.Count == 0 ? $"All {findings.Count} checks passed." : $"{failed.Count} of {findings.Count} checks failed. The first: {Printable.Text(failed[0].What)}: {Printable.Text(failed[0].Detail)}");
        }

        return failed.Count == 0 ? ExitCodes.Done : ExitCodes.FaultsFound;
    }
}
