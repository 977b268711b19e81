using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CredBroker.Client;

/// <summary>Registers the client with dependency injection.</summary>
public static class CredBrokerClientServices
{
    /// <summary>The name of the <see cref="HttpClient"/> that the clients send with.</summary>
    public const string HttpClientName = "CredBroker";

    /// <summary>
    /// Adds <see cref="AgentClient"/>, <see cref="AdminClient"/> and the <see cref="BrokerConnection"/> under them, all
    /// singletons that speak for one caller. Leases renew by the registered <see cref="TimeProvider"/>, where there is
    /// one.
    /// </summary>
    /// <param name="services">Where to.</param>
    /// <param name="configure">Sets the options. They are checked, all faults together, when the application starts.</param>
    /// <returns>
    /// For more about how calls are sent, such as an own authority or a handler that retries. A retry sends no exchange
    /// twice unless it has an <see cref="ExchangeRequest.IdempotencyKey"/>.
    /// </returns>
    public static IHttpClientBuilder AddCredBrokerClient(
        this IServiceCollection services,
        Action<CredBrokerClientOptions> configure
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services
            .AddOptions<CredBrokerClientOptions>()
            .Configure(configure)
            .Validate(
                options => options.Address is { } address && Origin.IsProtected(address),
                "Address is the broker's: https, or http on loopback only."
            )
            .Validate(
                options => options.Timeout > TimeSpan.Zero && options.Timeout <= TimeSpan.FromHours(1),
                "Timeout is longer than nothing and at most an hour."
            )
            .ValidateOnStart();
        services.AddSingleton(provider =>
        {
            var options = Options(provider);
            return new BrokerConnection(
                provider.GetRequiredService<IHttpClientFactory>().CreateClient(HttpClientName),
                options.TokenSource ?? TokenSource.Detect(options.Address!.GetLeftPart(UriPartial.Authority))
            );
        });
        services.AddSingleton(provider => new AgentClient(
            provider.GetRequiredService<BrokerConnection>(),
            provider.GetService<TimeProvider>(),
            provider.GetService<ILogger<AgentClient>>()
        ));
        services.AddSingleton(provider => new AdminClient(
            provider.GetRequiredService<BrokerConnection>(),
            provider.GetService<TimeProvider>()
        ));

        // The clients live as long as the application: connections are replaced by their age, not with their handler.
        return services
            .AddHttpClient(HttpClientName)
            .ConfigureHttpClient(
                (provider, http) =>
                    (http.BaseAddress, http.Timeout) = (
                        BrokerConnection.WithSlash(Options(provider).Address!),
                        Options(provider).Timeout
                    )
            )
            .ConfigurePrimaryHttpMessageHandler(provider => BrokerConnection.CreateHandler(Options(provider).Address!))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .RedactLoggedHeaders(_ => true);
    }

    private static CredBrokerClientOptions Options(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<CredBrokerClientOptions>>().Value;
}
