namespace CredBroker.Core.Policy;

/// <summary>A catalogue entry as a decision uses it: the words that conditions compare are made once.</summary>
internal sealed class CatalogueItem(CatalogueEntry entry, IReadOnlyDictionary<string, ArgumentSchema>? toolSchemas)
{
    public CatalogueEntry Entry => entry;

    /// <summary>Schemas by tool; null where the entry has none. A tool that is not among them is refused.</summary>
    public IReadOnlyDictionary<string, ArgumentSchema>? ToolSchemas => toolSchemas;

    public string Access { get; } = WordOf(entry.Access);

    public string Impact { get; } = WordOf(entry.Impact);

    public string Revocation { get; } = WordOf(entry.Vault.Revocation);

    private static string WordOf<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
