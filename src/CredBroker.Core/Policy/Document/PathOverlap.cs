namespace CredBroker.Core.Policy.Document;

/// <summary>
/// Entries that reach one secret through a parameter: the rules about the one would give away what the rules about the
/// other keep.
/// </summary>
internal static class PathOverlap
{
    /// <summary>
    /// Each entry with parameters, with each other one whose secret some value of them leads to.
    /// </summary>
    /// <param name="credentials">All of the catalogue.</param>
    /// <param name="isCertain">
    /// True for those where a parameter's pattern takes what stands in the other's path. False for those where it takes
    /// two parameters of different patterns, which might have no value in common, or where the two are the same template.
    /// </param>
    public static IEnumerable<(CredentialDraft Template, CredentialDraft Other)> In(
        IReadOnlyList<CredentialDraft> credentials,
        bool isCertain
    )
    {
        var paths = credentials
            .Where(credential => credential.Item.Entry.Vault is VaultBinding.KeyValue)
            .Select(credential => (Credential: credential, Segments: SegmentsOf(credential)))
            .ToList();
        for (var i = 0; i < paths.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var (one, other) = (paths[i], paths[j]);
                if (one.Credential.Item.Entry.Params is null)
                {
                    (one, other) = (other, one);
                }

                if (
                    one.Credential.Item.Entry.Params is not null
                    && Compare(one.Credential.Item, one.Segments, other.Credential.Item, other.Segments) == isCertain
                )
                {
                    yield return (one.Credential, other.Credential);
                }
            }
        }
    }

    /// <summary>What a reader is told of the two.</summary>
    public static string Describe(CredentialDraft template, CredentialDraft other) =>
        $"`{template.Name.Text}` also reaches the secret of `{other.Name.Text}`";

    /// <summary>Whether they certainly have a secret in common; null where they have none.</summary>
    private static bool? Compare(CatalogueItem one, string[] ones, CatalogueItem other, string[] others)
    {
        if (ones.Length != others.Length || MountOf(one) != MountOf(other))
        {
            return null;
        }

        var (isTaken, isOpen) = (false, false);
        for (var i = 0; i < ones.Length; i++)
        {
            switch (PathTemplate.NameOf(ones[i]), PathTemplate.NameOf(others[i]))
            {
                case (null, null) when ones[i] == others[i]:
                    break;
                case ({ } name, null) when one.Takes(name, others[i]):
                case (null, { } its) when other.Takes(its, ones[i]):
                    isTaken = true;
                    break;
                case ({ } name, { } its):
                    isOpen |= one.PatternOf(name) != other.PatternOf(its);
                    break;
                default:
                    return null;
            }
        }

        return isTaken && !isOpen;
    }

    private static string[] SegmentsOf(CredentialDraft credential) =>
        ((VaultBinding.KeyValue)credential.Item.Entry.Vault).Path.Split('/');

    private static string MountOf(CatalogueItem item) => ((VaultBinding.KeyValue)item.Entry.Vault).Mount;
}
