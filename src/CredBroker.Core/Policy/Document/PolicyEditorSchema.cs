namespace CredBroker.Core.Policy.Document;

/// <summary>The JSON Schema of the policy document, for editors that check and complete YAML.</summary>
public static class PolicyEditorSchema
{
    /// <summary>The schema as JSON text.</summary>
    public static string Read()
    {
        using var resource = typeof(PolicyEditorSchema).Assembly.GetManifestResourceStream("policy.schema.json")!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
