using System.Text.Json;

namespace CredBroker.Server.Endpoints.Replies;

/// <summary>Names of enums as the API writes them.</summary>
internal static class KebabCase
{
    /// <summary><c>PolicyChange</c> is written <c>policy-change</c>.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}
