using CredBroker.Dev.Vault.Http;

namespace CredBroker.Dev.Vault.Mounts;

/// <summary>What is mounted at a path: answers the calls below it.</summary>
internal abstract class DevVaultEngine
{
    /// <summary>Vault's name for it.</summary>
    public abstract string Type { get; }

    /// <summary>Answers a call that is authenticated and permitted.</summary>
    public abstract DevVaultReply Handle(DevVaultCall call);

    /// <summary>
    /// Whether an entry is there, which makes a write an update; null on paths where every write is one.
    /// </summary>
    public virtual bool? Exists(string path) => null;

    /// <summary>Whether the path is served without a token.</summary>
    public virtual bool IsOpen(string path) => false;

    /// <summary>Whether the path needs the <c>sudo</c> capability beside the operation's own.</summary>
    public virtual bool NeedsSudo(string path) => false;
}
