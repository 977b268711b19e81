using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage;

/// <summary>Registers the store.</summary>
public static class StorageRegistration
{
    /// <summary>
    /// Registers <see cref="IBrokerStore"/> and <see cref="IAuditLog"/>, one instance, opened when it is first asked
    /// for: migrations run and the audit stream opens then, and <see cref="StoreUnavailableException"/> says what
    /// stands in the way. A file that cannot be written is read all the same (<see cref="SqliteStart"/>). Needs a <see cref="TimeProvider"/> and logging in the container, which also closes the store.
    /// </summary>
    public static IServiceCollection AddCredBrokerStorage(this IServiceCollection services, StorageOptions options)
    {
        services.AddSingleton(provider => new SqliteStart(
            options,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SqliteBrokerStore>>()
        ));
        services.AddSingleton<IBrokerStore>(provider => provider.GetRequiredService<SqliteStart>());
        services.AddSingleton<IAuditLog>(provider => provider.GetRequiredService<SqliteStart>());
        return services;
    }
}
