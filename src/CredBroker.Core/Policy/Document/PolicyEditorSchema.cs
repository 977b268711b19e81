namespace CredBroker.Core.Policy.Document;

/// <summary>The JSON Schemas of the policy document and of its tests, for editors that check and complete YAML.</summary>
public static class PolicyEditorSchema
{
    /// <summary>The document's schema as JSON text.</summary>
    public static string Read() => Read("policy.schema.json");

    /// <summary>The schema of a file of tests as JSON text.</summary>
    public static string ReadTests() => Read("policy-test.schema.json");

    private static string Read(string name)
    {
        using var resource = typeof(PolicyEditorSchema).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
