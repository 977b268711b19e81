namespace CredBroker.Core.Policy.Document;

/// <summary>What ships about the policy document: its reference for people, its JSON Schemas for editors.</summary>
public static class PolicyManual
{
    /// <summary>The reference as Markdown: every key, and every name, type and function of conditions.</summary>
    public static string ReadReference() => Read("policy-reference.md");

    /// <summary>The document's schema as JSON text.</summary>
    public static string ReadSchema() => Read("policy.schema.json");

    /// <summary>The schema of a file of tests as JSON text.</summary>
    public static string ReadTestSchema() => Read("policy-test.schema.json");

    private static string Read(string name)
    {
        using var resource = typeof(PolicyManual).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
