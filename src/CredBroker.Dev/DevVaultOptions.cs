using System.Security.Cryptography;

namespace CredBroker.Dev;

/// <summary>How a <see cref="DevVault"/> starts.</summary>
public sealed record DevVaultOptions
{
    /// <summary>The loopback port; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>The root token; random unless given.</summary>
    public string RootToken { get; init; } = "dev." + RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>The unseal key; random unless given.</summary>
    public string UnsealKey { get; init; } = RandomNumberGenerator.GetHexString(64, lowercase: true);

    /// <summary>The clock by which tokens and leases end.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
