using System.Numerics;
using CredBroker.Dev.Vault.Http;

namespace CredBroker.Dev.Vault.Values;

/// <summary>How much DevVault holds: it lives in memory, beside the work of whoever tries it.</summary>
internal static class DevVaultBounds
{
    public const int RequestBytes = 256 * 1024;
    public const int JsonDepth = 32;
    public const int Tokens = 20_000;
    public const int Leases = 100_000;
    public const int Certificates = 50_000;
    public const int Secrets = 10_000;
    public const int SecretVersions = 10;
    public const int SecretCharacters = 64 * 1024 * 1024;
    public const int MetadataCharacters = 16 * 1024;
    public const int Policies = 1_000;
    public const int PolicyCharacters = 64 * 1024;
    public const int Roles = 1_000;
    public const int Mounts = 64;
    public const int Issuers = 16;
    public const int SecretIds = 1_000;

    /// <summary>Refuses what would not fit.</summary>
    public static void Check<T>(T count, T limit, string what)
        where T : INumber<T>
    {
        if (count >= limit)
        {
            throw new DevVaultRefusal(500, $"this development Vault holds at most {limit} {what}");
        }
    }
}
