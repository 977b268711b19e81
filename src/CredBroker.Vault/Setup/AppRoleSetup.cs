using System.Net;

namespace CredBroker.Vault.Setup;

/// <summary>How the broker's AppRole is made, if it logs in by one.</summary>
/// <param name="Mount">Where AppRole is mounted.</param>
public sealed record AppRoleSetup(string Mount)
{
    /// <summary>
    /// How long a secret id lives. It is needed at each login, so after a restart, too; what it has logged in before
    /// goes on.
    /// </summary>
    public TimeSpan SecretIdTtl { get; init; } = TimeSpan.FromDays(90);

    /// <summary>From where the secret id and the broker's token may be used; empty for anywhere.</summary>
    public IReadOnlyList<IPNetwork> BoundTo { get; init; } = [];
}
