namespace CredBroker.Dev.Vault.Access;

/// <summary>What a rule permits.</summary>
[Flags]
internal enum Capabilities
{
    None = 0,
    Create = 1,
    Read = 2,
    Update = 4,
    Delete = 8,
    List = 16,
    Sudo = 32,
    Deny = 64,
    Patch = 128,
    Scan = 256,
}
