using CredBroker.Core.Issuing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace CredBroker.Vault;

/// <summary>Registers the secret issuer, and where the store's anchor is kept.</summary>
public static class VaultServices
{
    /// <summary>
    /// Adds <see cref="ISecretIssuer"/> on Vault with settings that have been validated. The host calls
    /// <see cref="ISecretIssuer.ProbeAsync"/> at start and each <see cref="VaultOptions.ProbeInterval"/>.
    /// </summary>
    public static IServiceCollection AddCredBrokerVault(this IServiceCollection services, VaultOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.TryAddSingleton(new VaultCluster { Home = new(options.Installation, options.Namespace) });
        services.AddSingleton<VaultSecretIssuer>();
        services.AddSingleton<IAnchorPlace, VaultAnchor>();
        return services.AddSingleton<ISecretIssuer>(provider => provider.GetRequiredService<VaultSecretIssuer>());
    }
}
