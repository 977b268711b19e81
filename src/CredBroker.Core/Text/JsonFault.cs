using System.Text.Json;
using System.Text.Unicode;

namespace CredBroker.Core.Text;

/// <summary>
/// Why <see cref="StrictJson"/> refused a text, for the one who has to mend it: it names the member at fault. Looked for
/// only after a refusal.
/// </summary>
internal static class JsonFault
{
    private const int LongestShown = 64;

    /// <summary>What is wrong, to be read after the name of the thing that was read.</summary>
    public static string Of(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
        {
            return "is not UTF-8";
        }

        var last = "";
        try
        {
            return Walk(utf8, ref last) ?? $"is no JSON that is accepted here{Near(last)}";
        }
        catch (JsonException)
        {
            return $"is no JSON, or nested deeper than {StrictJson.MaxDepth} levels{Near(last)}";
        }
        catch (InvalidOperationException)
        {
            return $"holds half of a surrogate pair{Near(last)}";
        }
    }

    private static string? Walk(ReadOnlySpan<byte> utf8, ref string last)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = StrictJson.MaxDepth });
        var open = new Stack<HashSet<string>>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    open.Push(new(StringComparer.Ordinal));
                    break;
                case JsonTokenType.EndObject:
                    open.Pop();
                    break;
                case JsonTokenType.PropertyName:
                    last = reader.GetString()!;
                    if (!open.Peek().Add(last))
                    {
                        return $"has {Member(last)} twice";
                    }

                    break;
                case JsonTokenType.String when reader.GetString()!.Contains('\0', StringComparison.Ordinal):
                    return $"holds the character U+0000{Near(last)}";
                case not JsonTokenType.StartArray when reader.CurrentDepth == 0:
                    return "is no object";
                default:
                    break;
            }
        }

        return null;
    }

    private static string Near(string last) => last.Length == 0 ? "" : $" (at {Member(last)} or after it)";

    // The name is the sender's: one that is no plain name is not repeated.
    private static string Member(string name) =>
        name.Length is > 0 and <= LongestShown
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or ':' or '/' or '#')
            ? $"the member '{name}'"
            : "a member";
}
