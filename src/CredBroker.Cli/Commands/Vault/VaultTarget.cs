using System.CommandLine;
using CredBroker.Cli.Commands.Policy;
using CredBroker.Core.Policy;
using CredBroker.Vault;

namespace CredBroker.Cli.Commands.Vault;

/// <summary>Which catalogue, which installation and which Vault: what both commands ask for.</summary>
internal sealed class VaultTarget(Terminal terminal)
{
    private readonly Option<string> _policy = new("--policy")
    {
        HelpName = "FILE",
        Description = "The policy document whose catalogue it is about",
        Required = true,
    };
    private readonly Option<string> _installation = new("--installation")
    {
        HelpName = "NAME",
        Description = "The broker store's name in Vault, as in its setting Vault:Installation",
        Required = true,
    };
    private readonly Option<string?> _address = new("--address")
    {
        HelpName = "URL",
        Description = "Vault's address [VAULT_ADDR]",
    };
    private readonly Option<string?> _namespace = new("--namespace")
    {
        HelpName = "NAME",
        Description = "Vault's namespace [VAULT_NAMESPACE]",
    };
    private readonly Option<string?> _caFile = new("--vault-ca-file")
    {
        HelpName = "FILE",
        Description = "PEM authorities that Vault's certificate may come from [VAULT_CACERT]",
    };

    public void AddTo(Command command)
    {
        command.Add(_policy);
        command.Add(_installation);
        command.Add(_address);
        command.Add(_namespace);
        command.Add(_caFile);
    }

    public string Installation(ParseResult parsed) => parsed.GetRequiredValue(_installation);

    public async Task<IReadOnlyList<CatalogueEntry>> CatalogueAsync(
        ParseResult parsed,
        CancellationToken cancellationToken
    ) => [.. (await PolicyText.CompileAsync(parsed.GetRequiredValue(_policy), cancellationToken)).Credentials.Values];

    /// <summary>Settings for this Vault, with every fault told in the options' words.</summary>
    public VaultOptions Options(ParseResult parsed, string tokenFile, AppRoleOptions? appRole)
    {
        var options = new VaultOptions
        {
            Address =
                parsed.GetValue(_address)
                ?? terminal.Variable("VAULT_ADDR")
                ?? throw CliException.Usage(
                    "There is no Vault address.",
                    "Give --address https://… or set VAULT_ADDR."
                ),
            Installation = Installation(parsed),
            Namespace = parsed.GetValue(_namespace) ?? terminal.Variable("VAULT_NAMESPACE") ?? "",
            CaFile = parsed.GetValue(_caFile) ?? terminal.Variable("VAULT_CACERT") ?? "",
            TokenFile = tokenFile,
            AppRole = appRole,
        };
        var faults = options
            .Validate()
            .Select(fault =>
                fault
                    .Replace("Vault:Address", "--address", StringComparison.Ordinal)
                    .Replace("Vault:Installation", "--installation", StringComparison.Ordinal)
                    .Replace("Vault:Namespace", "--namespace", StringComparison.Ordinal)
                    .Replace("Vault:CaFile", "--vault-ca-file", StringComparison.Ordinal)
                    .Replace("Vault:TokenFile", "--token-file", StringComparison.Ordinal)
                    .Replace("Vault:AppRole:RoleId", "--role-id", StringComparison.Ordinal)
                    .Replace("Vault:AppRole:SecretIdFile", "--secret-id-file", StringComparison.Ordinal)
                    .Replace("Vault:AppRole", "--role-id and --secret-id-file", StringComparison.Ordinal)
            )
            .ToList();
        return faults.Count == 0 ? options : throw CliException.Usage(string.Join(" ", faults), "See --help.");
    }
}
