namespace CredBroker.Dev.Vault.Values;

/// <summary>Lists paths the way that Vault lists them: one level, folders with a closing slash.</summary>
internal static class PathListing
{
    /// <summary>The names directly below <paramref name="folder"/>, which is empty or ends with a slash.</summary>
    public static IEnumerable<string> Children(IEnumerable<string> paths, string folder) =>
        paths
            .Where(path => path.Length > folder.Length && path.StartsWith(folder, StringComparison.Ordinal))
            .Select(path =>
                path.IndexOf('/', folder.Length) is var slash and >= 0
                    ? path[folder.Length..(slash + 1)]
                    : path[folder.Length..]
            )
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);

    /// <summary>The path as a folder.</summary>
    public static string Folder(string path) => path.Length == 0 || path.EndsWith('/') ? path : path + "/";
}
