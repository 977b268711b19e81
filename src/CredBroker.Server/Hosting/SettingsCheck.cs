using System.Security.Cryptography;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Policy.Linting;
using CredBroker.Server.Identity.Keys;
using CredBroker.Server.Identity.Settings;
using CredBroker.Server.Policy;

namespace CredBroker.Server.Hosting;

/// <summary>
/// <c>--check</c>: opens every file that the settings name, as the broker will, and compiles the policy. Files that may
/// come later (a token, keys, a bundle) keep no broker from starting, so that only this says that they are missing. Nothing
/// is asked over the network, and a store that a running broker uses is left alone.
/// </summary>
internal static class SettingsCheck
{
    /// <summary>Throws <see cref="SettingsFaultsException"/> with every fault; the warnings are the policy's.</summary>
    public static async Task<IReadOnlyList<string>> RunAsync(
        BrokerSettings settings,
        CancellationToken cancellationToken
    )
    {
        var (faults, warnings) = (new List<string>(), new List<string>());
        await CheckIdentityAsync(settings.Identity, faults, cancellationToken);
        await CheckPolicyAsync(settings.Policy, faults, warnings, cancellationToken);
        faults.AddRange(settings.Vault.FileFaults());
        if (settings.Storage.FileFault() is { } store)
        {
            faults.Add(store);
        }

        return faults.Count == 0 ? warnings : throw new SettingsFaultsException(faults);
    }

    private static async Task CheckIdentityAsync(
        IdentityOptions options,
        List<string> faults,
        CancellationToken cancellationToken
    )
    {
        foreach (var (index, domain) in options.TrustDomains.Index())
        {
            await TryAsync(
                $"TrustDomains:{index}:{nameof(domain.BundleFile)}",
                domain.BundleFile,
                async () => new BundleSequence().Read(await KeyFile.ReadAsync(domain.BundleFile, cancellationToken))
            );
        }

        foreach (var (index, issuer) in options.Issuers.Index())
        {
            var (name, jwks) = ($"Issuers:{index}:{nameof(issuer.Jwks)}", issuer.Jwks);
            await TryAsync(
                $"{name}:{nameof(jwks.File)}",
                jwks.File,
                async () => KeyDocument.FromJwks(await KeyFile.ReadAsync(jwks.File, cancellationToken))
            );
            await TryAsync(
                $"{name}:{nameof(jwks.CaFile)}",
                jwks.CaFile,
                () => Task.FromResult(JwksFetcher.Trust(jwks.CaFile))
            );
            await TryAsync(
                $"{name}:{nameof(jwks.TokenFile)}",
                jwks.TokenFile,
                () => KeyFile.ReadTokenAsync(jwks.TokenFile, cancellationToken)
            );
        }

        async Task TryAsync<T>(string setting, string path, Func<Task<T>> read)
        {
            try
            {
                _ = path.Length > 0 ? await read() : default;
            }
            catch (Exception e)
                when (e is IOException or UnauthorizedAccessException or CryptographicException or KeyDocumentException)
            {
                faults.Add($"{IdentityOptions.Section}:{setting} is \"{path}\": {e.Message}");
            }
        }
    }

    private static async Task CheckPolicyAsync(
        PolicyOptions options,
        List<string> faults,
        List<string> warnings,
        CancellationToken cancellationToken
    )
    {
        if (options.File.Length == 0)
        {
            return;
        }

        try
        {
            if (await PolicyFile.ReadAsync(options.File, cancellationToken) is not { } document)
            {
                faults.Add($"Policy:File is \"{options.File}\", which does not exist.");
                return;
            }

            faults.AddRange(PolicyCompiler.Compile(document).Faults.Select(fault => $"{options.File}: {fault}"));
            warnings.AddRange(PolicyLint.Check(document).Select(warning => $"{options.File}: {warning}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            faults.Add($"Policy:File is \"{options.File}\": {e.Message}");
        }
    }
}
