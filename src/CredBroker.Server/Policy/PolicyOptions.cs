using CredBroker.Core.PolicyVersions;

namespace CredBroker.Server.Policy;

/// <summary>Where the policy comes from. Bound from the section <c>Policy</c>.</summary>
public sealed record PolicyOptions
{
    /// <summary>
    /// Where new versions come from, the same at every broker of a store: <c>File</c>, the watched <see cref="File"/>, or
    /// <c>Api</c> (<c>credbroker policy apply</c>), where the file only gives an empty store its first version.
    /// </summary>
    public PolicySourceKind Source { get; init; }

    /// <summary>
    /// The YAML document; the JSON Schemas that it names lie beside it. Watched: replace it by writing another file and
    /// renaming that over it. Where versions come by the API, it may be left out.
    /// </summary>
    public string File { get; init; } = "";

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (!Enum.IsDefined(Source))
        {
            yield return "Policy:Source is neither File nor Api; write one of them.";
        }

        if (Source == PolicySourceKind.Api)
        {
            yield break;
        }

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
