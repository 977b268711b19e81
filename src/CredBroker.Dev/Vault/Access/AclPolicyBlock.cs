namespace CredBroker.Dev.Vault.Access;

/// <summary>A policy's <c>path</c> block as it is written.</summary>
internal sealed record AclPolicyBlock(string Path)
{
    public Dictionary<string, List<string>> Lists { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);

    /// <summary>Members that bound parameters: for each parameter the values.</summary>
    public Dictionary<string, Dictionary<string, List<string>>> Maps { get; } = new(StringComparer.Ordinal);

    /// <summary>Members of another form (numbers).</summary>
    public List<string> Others { get; } = [];
}
