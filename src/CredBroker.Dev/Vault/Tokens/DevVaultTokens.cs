using System.Security.Cryptography;
using System.Text;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Leases;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Tokens;

/// <summary>
/// Every token alive. Found by the hash of its text, so that a comparison's time says nothing about the text.
/// </summary>
internal sealed class DevVaultTokens(DevVaultLeases leases)
{
    private readonly Dictionary<string, DevVaultToken> _byHash = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DevVaultToken> _byAccessor = new(StringComparer.Ordinal);

    /// <summary>The accessors of every token alive.</summary>
    public IEnumerable<string> Accessors => _byAccessor.Keys;

    public DevVaultToken? Find(string token) => _byHash.GetValueOrDefault(Hash(token));

    public DevVaultToken? FindByAccessor(string accessor) => _byAccessor.GetValueOrDefault(accessor);

    /// <summary>A new token's text.</summary>
    public static string NewId() => "s." + DevVaultText.Random();

    /// <summary>Takes a token up and gives it its life, where it has an end.</summary>
    public DevVaultToken Add(DevVaultToken token)
    {
        DevVaultBounds.Check(_byHash.Count, DevVaultBounds.Tokens, "tokens");
        if (!_byHash.TryAdd(Hash(token.Id), token))
        {
            throw new DevVaultRefusal(400, "cannot create a token with a duplicate ID");
        }

        _byAccessor.Add(token.Accessor, token);
        token.Parent?.Children.Add(token);
        token.LastTtl = token.CreationTtl;
        if (token.CreationTtl > TimeSpan.Zero)
        {
            token.Life = new DevVaultLease
            {
                Id = $"{token.Path}/h{Hash(token.Id)}",
                Owner = null,
                IssuedAt = token.IssuedAt,
                EndsAt = token.IssuedAt + token.CreationTtl,
                Renewable = token.Renewable,
                End = at => Remove(token, at),
            };
            leases.Add(token.Life);
        }

        return token;
    }

    /// <summary>Gives a token's life another end.</summary>
    public void Extend(DevVaultLease life, DateTimeOffset endsAt, DateTimeOffset now) => leases.Move(life, endsAt, now);

    /// <summary>Ends a token, what hangs on it, and its children.</summary>
    public void Revoke(DevVaultToken token, DateTimeOffset at)
    {
        if (token.Life is { } life)
        {
            leases.End(life, at);
        }
        else
        {
            Remove(token, at);
        }
    }

    private void Remove(DevVaultToken token, DateTimeOffset at)
    {
        _byHash.Remove(Hash(token.Id));
        _byAccessor.Remove(token.Accessor);
        token.Parent?.Children.Remove(token);
        foreach (var lease in token.Leases.ToList())
        {
            leases.End(lease, at);
        }

        foreach (var child in token.Children.ToList())
        {
            Revoke(child, at);
        }
    }

    private static string Hash(string token) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
