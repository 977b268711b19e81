namespace CredBroker.Core.Policy.Document;

/// <summary>
/// Names of agents, processes, credentials and rules: they go into tables, logs, Vault metadata and conditions as they
/// are.
/// </summary>
internal static class PolicyName
{
    private const int MaxLength = 64;

    public static void Check(YamlScalar name, PolicyFaultList faults)
    {
        if (
            name.Text.Length is 0 or > MaxLength
            || !name.Text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            || !char.IsAsciiLetterOrDigit(name.Text[0])
        )
        {
            faults.Add(
                name,
                $"a name takes letters, digits and - _ . after a letter or digit, at most {MaxLength} of them"
            );
        }
    }
}
