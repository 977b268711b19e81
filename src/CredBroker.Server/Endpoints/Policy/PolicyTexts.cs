using CredBroker.Server.Endpoints.Input;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>What is checked of a policy document that somebody sends, before it is compiled.</summary>
internal static class PolicyTexts
{
    // More than a document could name.
    private const int MaxSchemas = 1000;

    public static void Check(FieldCheck check, IReadOnlyDictionary<string, string>? schemas) =>
        check.Require(
            schemas is null || (schemas.Count <= MaxSchemas && schemas.Values.All(text => text is not null)),
            $"schemas must be at most {MaxSchemas} texts by their file names."
        );
}
