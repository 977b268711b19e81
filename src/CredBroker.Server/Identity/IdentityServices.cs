using CredBroker.Client;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Owners;
using CredBroker.Core.State;
using CredBroker.Server.Identity.Directories;
using CredBroker.Server.Identity.Keys;
using CredBroker.Server.Identity.Settings;

namespace CredBroker.Server.Identity;

/// <summary>Puts the verifiers into the host.</summary>
internal static class IdentityServices
{
    /// <summary>
    /// Adds <see cref="IWorkloadVerifier"/>, <see cref="PeopleVerifier"/>, <see cref="KeySources"/> and the refresh of
    /// keys. The options have been validated: faults at this point are a mistake of the caller's.
    /// </summary>
    public static IServiceCollection AddCredBrokerIdentity(
        this IServiceCollection services,
        IdentityOptions options,
        bool devMode
    )
    {
        var settings = IdentitySettings.Read(options, devMode);
        if (settings.Faults.Count > 0)
        {
            throw new ArgumentException(string.Join(Environment.NewLine, settings.Faults), nameof(options));
        }

        services.AddSingleton(new LoginResponse { Issuers = settings.Logins });
        foreach (var (issuer, scim) in settings.Directories)
        {
            services.AddSingleton<IPeopleDirectory>(provider => new ScimDirectory(
                issuer,
                scim,
                provider.GetRequiredService<TimeProvider>()
            ));
        }

        services.AddSingleton(provider => new KeySources(
            settings,
            options.KeyRefresh,
            devMode,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<KeySource>>()
        ));
        services.AddSingleton(provider => new TokenRouting(provider.GetRequiredService<KeySources>().Issuers));
        services.AddSingleton<TokenVerification>();
        services.AddSingleton<TokenMemory>();
        services.AddSingleton<IWorkloadVerifier, WorkloadVerifier>();
        services.AddSingleton(provider => new PeopleVerifier(
            provider.GetRequiredService<TokenRouting>(),
            provider.GetRequiredService<TokenVerification>(),
            provider.GetRequiredService<TokenMemory>(),
            provider.GetRequiredService<TimeProvider>(),
            () =>
                provider.GetRequiredService<IBrokerStore>().Position is { IsStale: false, Counted: var now }
                    ? now
                    : null
        ));
        services.AddHostedService<KeyRefreshService>();
        services.AddHostedService<HeldTokens>();
        return services;
    }
}
