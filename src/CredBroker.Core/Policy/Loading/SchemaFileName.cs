namespace CredBroker.Core.Policy.Loading;

/// <summary>Names of schema files: relative to the policy's own folder, and never out of it.</summary>
internal static class SchemaFileName
{
    /// <summary>What is wrong with the name, or null.</summary>
    public static string? FaultOf(string name) =>
        name.Length is > 0 and <= 200
        && name.Split('/').All(part => part.Length > 0 && part is not ("." or "..") && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            ? null
            : "a schema's file is named relative to the policy's folder, with letters, digits and - _ . / alone, and without ..";
}
