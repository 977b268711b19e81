using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.Storage.PostgreSql;
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
    /// stands in the way. An SQLite file that cannot be written is read all the same (<see cref="SqliteStart"/>); a
    /// PostgreSQL that does not answer keeps the broker from starting. Needs a <see cref="TimeProvider"/> and logging in
    /// the container, which also closes the store.
    /// </summary>
    public static IServiceCollection AddCredBrokerStorage(this IServiceCollection services, StorageOptions options) =>
        options.Provider == StorageProvider.Postgres
            ? services.AddStore(provider =>
                PostgresBrokerStore.Open(
                    options,
                    provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<PostgresBrokerStore>>()
                )
            )
            : services.AddStore(provider => new SqliteStart(
                options,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<SqliteBrokerStore>>()
            ));

    private static IServiceCollection AddStore<T>(this IServiceCollection services, Func<IServiceProvider, T> open)
        where T : class, IBrokerStore, IAuditLog =>
        services
            .AddSingleton(open)
            .AddSingleton<IBrokerStore>(provider => provider.GetRequiredService<T>())
            .AddSingleton<IAuditLog>(provider => provider.GetRequiredService<T>());
}
