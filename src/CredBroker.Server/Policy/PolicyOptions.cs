namespace CredBroker.Server.Policy;

/// <summary>Where the policy comes from. Bound from the section <c>Policy</c>.</summary>
public sealed record PolicyOptions
{
    /// <summary>
    /// The YAML document; the JSON Schemas that it names lie beside it. Watched: replace it by writing another file and
    /// renaming that over it.
    /// </summary>
    public string File { get; init; } = "";

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (File.Length == 0)
        {
            yield return "Policy:File is missing; write the path of the policy document, "
                + "such as \"/etc/credbroker/policy.yaml\".";
        }
        else if (!System.IO.File.Exists(File))
        {
            yield return $"Policy:File is \"{File}\", which does not exist; write the path of the policy document.";
        }
    }
}
