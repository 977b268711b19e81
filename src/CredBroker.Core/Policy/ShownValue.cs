using System.Globalization;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>
/// An argument of a tool call as an approver sees it: what the agent says, bounded, with nothing hidden in it. Of one
/// that may only be compared, its digest alone.
/// </summary>
public sealed record ShownValue
{
    /// <summary>The most characters that are shown of one value.</summary>
    public const int MaxLength = 500;

    /// <summary>What it is called for people.</summary>
    public required string Label { get; init; }

    /// <summary>
    /// <c>text</c>, <c>number</c>, <c>boolean</c>, <c>list</c>, <c>object</c>, <c>null</c>; <c>digest</c> where the value
    /// may not be read, <c>absent</c> where the call has no such argument.
    /// </summary>
    public required string Kind { get; init; }

    /// <summary>
    /// The value: a text as it is, everything else as canonical JSON. What shows nothing, or turns the writing direction,
    /// is escaped: <c>\u{200B}</c> in a text, whose own backslashes are written twice, and <c>\u200b</c> in JSON. Empty where the value is absent or a digest.
    /// </summary>
    public string Text { get; init; } = "";

    /// <summary>Whether there is more of it than is shown.</summary>
    public bool IsCut { get; init; }

    /// <summary>
    /// SHA-256 of the value's canonical JSON (RFC 8785) as lower-case hex, where it is not shown in full; else empty. One
    /// of few possible values is found by trying.
    /// </summary>
    public string Digest { get; init; } = "";

    /// <summary>What the approver sees of a call, in the rule's order.</summary>
    public static IReadOnlyList<ShownValue> Of(IReadOnlyList<ShownArgument> show, ToolCall? call) =>
        [.. show.Select(shown => Of(shown, call))];

    private static ShownValue Of(ShownArgument shown, ToolCall? call)
    {
        if (Find(shown, call) is not { } value)
        {
            return new() { Label = shown.Label, Kind = "absent" };
        }

        if (shown.AsDigest)
        {
            return new()
            {
                Label = shown.Label,
                Kind = "digest",
                Digest = ApprovalDigest.Of(value),
            };
        }

        var isText = value.ValueKind == JsonValueKind.String;
        var text = Visible(isText ? value.GetString()! : CanonicalJson.ExactText(value), isText, out var isCut);
        return new()
        {
            Label = shown.Label,
            Kind = KindOf(value),
            Text = text,
            IsCut = isCut,
            Digest = isCut ? ApprovalDigest.Of(value) : "",
        };
    }

    private static JsonElement? Find(ShownArgument shown, ToolCall? call)
    {
        if (call is not { Arguments: { ValueKind: JsonValueKind.Object } value })
        {
            return null;
        }

        foreach (var name in ShownArgument.NamesOf(shown.Path))
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                return null;
            }
        }

        return value;
    }

    private static string KindOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => "text",
            JsonValueKind.Number => "number",
            JsonValueKind.True or JsonValueKind.False => "boolean",
            JsonValueKind.Array => "list",
            JsonValueKind.Object => "object",
            _ => "null",
        };

    private static string Visible(string value, bool isText, out bool isCut)
    {
        var text = new StringBuilder();
        var (at, last) = (0, value.Length - 1);
        foreach (var rune in value.EnumerateRunes())
        {
            // A space at an end is not seen, nor is the second of two in many a place that shows them.
            var isHidden =
                VisibleText.IsHidden(rune) || (rune.Value == ' ' && (at == 0 || at == last || value[at - 1] == ' '));
            var shown = (rune.Value, isHidden) switch
            {
                ('\\', _) when isText => @"\\",
                (_, true) => Escape(rune, isText),
                _ => rune.ToString(),
            };
            if (text.Length + shown.Length > MaxLength)
            {
                isCut = true;
                return text.ToString();
            }

            text.Append(shown);
            at += rune.Utf16SequenceLength;
        }

        isCut = false;
        return text.ToString();
    }

    // What is JSON stays JSON.
    private static string Escape(Rune rune, bool isText) =>
        isText
            ? string.Create(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X4}}}")
            : string.Concat(
                rune.ToString().Select(unit => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}"))
            );
}
