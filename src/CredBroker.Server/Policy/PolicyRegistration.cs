using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Policy;

namespace CredBroker.Server.Policy;

/// <summary>The policy's part of the composition.</summary>
internal static class PolicyRegistration
{
    /// <summary>The policy from a watched file, or by the API.</summary>
    public static IServiceCollection AddCredBrokerPolicy(this IServiceCollection services, PolicyOptions options) =>
        services
            .AddSingleton<IPolicySource>(provider =>
                options.File.Length == 0
                    ? new NoPolicySource()
                    : new FilePolicySource(options.File, provider.GetRequiredService<TimeProvider>())
            )
            .AddSingleton(provider => new PolicyControl(
                provider.GetRequiredService<IPolicySource>(),
                provider.GetRequiredService<IBrokerStore>(),
                provider.GetRequiredService<ILogger<PolicyControl>>(),
                options.Source
            ))
            .AddSingleton<PastCredentials>()
            .AddSingleton<PolicyPreview>()
            .AddSingleton<PreviewRoom>()
            .AddSingleton<PolicyReplay>()
            .AddSingleton<ReplayRoom>();
}
