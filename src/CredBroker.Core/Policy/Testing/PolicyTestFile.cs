using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.Policy.Testing;

/// <summary>The tests of a policy document, such as <c>billing.test.yaml</c> has them for <c>billing.yaml</c>.</summary>
/// <param name="Policy">The document's path from the file's own folder; null where its name follows from the file's.</param>
/// <param name="Tests">At least one, each with a name of its own.</param>
public sealed record PolicyTestFile(string? Policy, IReadOnlyList<PolicyTest> Tests)
{
    /// <summary>
    /// Reads the file's text: the tests, or every fault with its line and column. Never throws, whatever the text.
    /// </summary>
    public static (PolicyTestFile? File, IReadOnlyList<PolicyFault> Faults) Read(string text)
    {
        var faults = new PolicyFaultList();
        var file = YamlTree.Read(text, faults) is { } root ? new PolicyTestReader(faults).Read(root) : null;
        return (faults.Any ? null : file, faults.ToList());
    }
}
