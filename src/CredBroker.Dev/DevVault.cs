using CredBroker.Dev.Vault;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Values;
using Microsoft.AspNetCore.Builder;

namespace CredBroker.Dev;

/// <summary>
/// A Vault for development: a loopback HTTP server that speaks the part of Vault's API the broker uses, with tokens,
/// policies, leases, KV version 2 and a PKI of real certificates. All of it is in memory, bounded, and gone when it
/// stops. It has no database engine: a call to one answers 404, "no handler for route". Its JSON is written here on its
/// own and shares no type with the broker's Vault client, so that a wrong field on either side fails a test.
/// </summary>
public sealed class DevVault : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly DevVaultKernel _kernel;

    private DevVault(WebApplication application, DevVaultKernel kernel, DevVaultOptions options)
    {
        (_application, _kernel, RootToken, UnsealKey) = (application, kernel, options.RootToken, options.UnsealKey);
        Address = new Uri(application.Urls.Single());
    }

    /// <summary>Where it listens, such as <c>http://127.0.0.1:41234</c>.</summary>
    public Uri Address { get; }

    /// <summary>The token that may do everything.</summary>
    public string RootToken { get; }

    /// <summary>What <c>sys/unseal</c> takes.</summary>
    public string UnsealKey { get; }

    /// <summary>Whether it is sealed; a test may seal and unseal it.</summary>
    public bool Sealed
    {
        get => _kernel.Sealed;
        set => _kernel.Sealed = value;
    }

    /// <summary>Starts one.</summary>
    public static async Task<DevVault> StartAsync(DevVaultOptions options, CancellationToken cancellationToken)
    {
        var kernel = new DevVaultKernel(options.Time, options.RootToken, options.UnsealKey);
        var application = LoopbackServer.Create(options.Port, DevVaultBounds.RequestBytes);
        application.Run(new DevVaultHttp(kernel).HandleAsync);
        await application.StartAsync(cancellationToken);
        return new DevVault(application, kernel, options);
    }

    /// <summary>Stops listening; everything it held is gone.</summary>
    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
