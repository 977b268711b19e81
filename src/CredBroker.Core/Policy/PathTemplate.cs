namespace CredBroker.Core.Policy;

/// <summary>
/// A path of which some segments are parameters: <c>tenants/{tenant}/api-key</c>. A parameter is a whole segment and never
/// more, so that no value of it leads out of the template.
/// </summary>
public static class PathTemplate
{
    /// <summary>The parameter that a segment is; null where it stands for itself.</summary>
    public static string? NameOf(string segment) => segment is ['{', .. var name, '}'] ? name : null;

    /// <summary>The parameters, in the order of the path.</summary>
    public static IEnumerable<string> NamesIn(string path) => path.Split('/').Select(NameOf).OfType<string>();

    /// <summary>The path with something in the place of each parameter.</summary>
    public static string Fill(string path, Func<string, string> valueOf) =>
        string.Join('/', path.Split('/').Select(segment => NameOf(segment) is { } name ? valueOf(name) : segment));
}
