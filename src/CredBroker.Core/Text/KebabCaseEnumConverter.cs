using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Core.Text;

/// <summary>
/// Writes and reads an enum as kebab-case text (<c>PolicyChange</c> ⇄ <c>"policy-change"</c>), the form that stored
/// records and the API use.
/// </summary>
public sealed class KebabCaseEnumConverter<T>()
    : JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
