namespace CredBroker.Core.Policy.Document;

/// <summary>Turns the text of a policy into a <see cref="PolicySet"/> that decides.</summary>
public static class PolicyCompiler
{
    /// <summary>
    /// Parses and compiles a document: the policy, or every fault with its line and column. Never throws, whatever the
    /// text.
    /// </summary>
    public static PolicyCompilation Compile(PolicyDocument document) => PolicyReader.Read(document).ToCompilation();
}
