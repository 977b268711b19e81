using System.Net;
using System.Net.Sockets;
using CredBroker.Core.Text;
using CredBroker.Dev;
using CredBroker.Server.Hosting;
using CredBroker.Vault;

namespace CredBroker.Server.Dev;

/// <summary>
/// Everything that <c>--dev</c> adds to the broker: a DevVault prepared by <c>vault setup</c>, a dev issuer, a policy,
/// a throw-away data directory, and the settings that point the broker at them. All of it listens on loopback alone and
/// is gone when it stops. The broker itself is the real one.
/// </summary>
public sealed class DevMode : IAsyncDisposable
{
    /// <summary>The name of a dev broker's things in Vault.</summary>
    public const string Installation = "dev";

    /// <summary>
    /// The sections that dev mode fills in itself: with any of them configured it does not start, so that it never
    /// mixes with a real Vault, issuer, store or listener.
    /// </summary>
    public static readonly IReadOnlyList<string> OwnedSections = ["Listen", "Vault", "Identity", "Storage", "Policy"];

    private readonly DirectoryInfo _directory;
    private readonly DevTokenFiles _tokens;

    private DevMode(
        DirectoryInfo directory,
        DevVault vault,
        DevIssuer issuer,
        DevTokenFiles tokens,
        IConfiguration settings
    ) => (_directory, Vault, Issuer, _tokens, Settings) = (directory, vault, issuer, tokens, settings);

    /// <summary>The Vault.</summary>
    public DevVault Vault { get; }

    /// <summary>The identity provider.</summary>
    public DevIssuer Issuer { get; }

    /// <summary>The whole configuration for the broker, the user's own sections included.</summary>
    public IConfiguration Settings { get; }

    /// <summary>Store, policy and token files; deleted at the end.</summary>
    public string DataDirectory => _directory.FullName;

    /// <summary>The policy document that the broker watches.</summary>
    public string PolicyFile => Path.Combine(_directory.FullName, "policy.yaml");

    /// <summary>A file with DevVault's root token, for <c>credbroker vault setup</c> and for looking around.</summary>
    public string VaultRootTokenFile => Path.Combine(_directory.FullName, "vault-root-token");

    /// <summary>A folder with a token file for the agent <c>triage</c> and for each person, kept fresh.</summary>
    public string TokenFolder => TokensIn(_directory);

    /// <summary>
    /// Starts all of it but the broker. Throws <see cref="SettingsFaultsException"/> where the user has configured what
    /// dev mode owns.
    /// </summary>
    public static async Task<DevMode> StartAsync(DevModeOptions options, CancellationToken cancellationToken)
    {
        var own =
            options
                .Settings?.GetChildren()
                .Where(section => OwnedSections.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
                .Select(section => section.Key)
                .ToList()
            ?? [];
        if (own.Count > 0)
        {
            throw new SettingsFaultsException([
                .. own.Select(section =>
                    $"{section} is configured, but dev mode brings its own; remove the section {section} "
                    + $"(file and CREDBROKER__{section}__… variables), or start without --dev."
                ),
            ]);
        }

        // Readable by this user alone (mode 0700): it holds the broker's token.
        var directory = Directory.CreateTempSubdirectory("credbroker-dev-");
        DevIssuer? issuer = null;
        DevVault? vault = null;
        DevTokenFiles? tokens = null;
        try
        {
            issuer = await DevIssuer.StartAsync(FreePort(options.Port, 1), options.Time, cancellationToken);
            vault = await DevVault.StartAsync(
                new DevVaultOptions { Port = FreePort(options.Port, 2), Time = options.Time },
                cancellationToken
            );
            tokens = await DevTokenFiles.StartAsync(issuer, TokensIn(directory), options.Time, cancellationToken);
            var settings = new ConfigurationBuilder()
                .AddInMemoryCollection(options.Settings?.AsEnumerable() ?? [])
                .AddInMemoryCollection(Own(options, directory, vault, issuer))
                .Build();
            var dev = new DevMode(directory, vault, issuer, tokens, settings);

            var policy = DevPolicy.Text(issuer.Issuer);
            await OwnerOnlyFile.WriteNewAsync(dev.PolicyFile, policy, cancellationToken);
            await OwnerOnlyFile.WriteNewAsync(dev.VaultRootTokenFile, vault.RootToken, cancellationToken);
            using var preparation = new DevVaultPreparation(vault, settings.GetSection("Vault").Get<VaultOptions>()!);
            await preparation.RunAsync(DevPolicy.Catalogue(policy), options.Time, cancellationToken);
            return dev;
        }
        catch
        {
            await DisposeAsync(directory, vault, issuer, tokens);
            throw;
        }
    }

    /// <summary>What a person needs to know and to try, once the broker listens at <paramref name="broker"/>.</summary>
    public string Describe(Uri broker) => Describe(broker, "dotnet run --project src/CredBroker.Cli --");

    /// <summary>The same, where <paramref name="commandLine"/> is how a shell calls the command <c>credbroker</c>.</summary>
    public string Describe(Uri broker, string commandLine) => DevBanner.Text(this, broker, commandLine);

    /// <summary>Stops all of it and deletes the data directory. The broker must have stopped.</summary>
    public ValueTask DisposeAsync() => DisposeAsync(_directory, Vault, Issuer, _tokens);

    private static string TokensIn(DirectoryInfo directory) => Path.Combine(directory.FullName, "tokens");

    private static async ValueTask DisposeAsync(
        DirectoryInfo directory,
        DevVault? vault,
        DevIssuer? issuer,
        DevTokenFiles? tokens
    )
    {
        if (tokens is not null)
        {
            await tokens.DisposeAsync();
        }

        if (vault is not null)
        {
            await vault.DisposeAsync();
        }

        if (issuer is not null)
        {
            await issuer.DisposeAsync();
        }

        directory.Delete(recursive: true);
    }

    private static Dictionary<string, string?> Own(
        DevModeOptions options,
        DirectoryInfo directory,
        DevVault vault,
        DevIssuer issuer
    ) =>
        new()
        {
            ["Listen:Agents:Url"] = $"http://127.0.0.1:{FreePort(options.Port, 0)}",
            ["Vault:Address"] = vault.Address.GetLeftPart(UriPartial.Authority),
            ["Vault:Installation"] = Installation,
            ["Vault:TokenFile"] = Path.Combine(directory.FullName, "vault-token"),
            ["Identity:Audience"] = DevIssuer.AgentAudience,
            ["Identity:Issuers:0:Issuer"] = issuer.Issuer,
            ["Identity:Issuers:0:Use"] = "workloads",
            ["Identity:Issuers:0:Algorithms:0"] = "ES256",
            ["Identity:Issuers:0:WorkloadClaim"] = "workload",
            ["Identity:Issuers:0:InstanceClaim"] = "instance",
            ["Identity:Issuers:1:Issuer"] = issuer.Issuer,
            ["Identity:Issuers:1:Use"] = "people",
            ["Identity:Issuers:1:Audience"] = DevIssuer.PeopleAudience,
            ["Identity:Issuers:1:Algorithms:0"] = "ES256",
            ["Identity:Issuers:1:RolesClaim"] = "roles",
            ["Identity:Issuers:1:Roles:admin:0"] = "admin",
            ["Identity:Issuers:1:Roles:auditor:0"] = "auditor",
            ["Identity:Issuers:1:Roles:viewer:0"] = "owner",
            ["Identity:Issuers:1:Roles:approver:0"] = "owner",
            ["Storage:SqliteFile"] = Path.Combine(directory.FullName, "credbroker.db"),
            ["Policy:File"] = Path.Combine(directory.FullName, "policy.yaml"),
        };

    /// <summary>
    /// The wanted port if nobody listens there, else 0: a newcomer's first start must not fail because something else
    /// runs.
    /// </summary>
    private static int FreePort(int first, int offset)
    {
        if (first == 0)
        {
            return 0;
        }

        try
        {
            using var probe = new TcpListener(IPAddress.Loopback, first + offset);
            probe.Start();
            return first + offset;
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
