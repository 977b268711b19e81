using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Revocations;
using CredBroker.Server.Endpoints.Policy;

namespace CredBroker.Server.Policy;

/// <summary>The policy's part of the composition.</summary>
internal static class PolicyRegistration
{
    /// <summary>The policy from a watched file.</summary>
    public static IServiceCollection AddCredBrokerPolicy(this IServiceCollection services, PolicyOptions options) =>
        services
            .AddSingleton<IPolicySource>(provider => new FilePolicySource(
                options.File,
                provider.GetRequiredService<TimeProvider>()
            ))
            .AddSingleton<PolicyControl>()
            .AddSingleton<PastCredentials>()
            .AddSingleton<PolicyPreview>()
            .AddSingleton<PreviewRoom>();
}
