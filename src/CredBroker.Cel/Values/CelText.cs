using System.Text.RegularExpressions;

namespace CredBroker.Cel.Values;

/// <summary>CEL's functions on text. Length is counted in code points; comparison is ordinal.</summary>
internal static class CelText
{
    public static CelValue Size(CelFrame frame, CelValue value) =>
        value.Kind switch
        {
            CelKind.String => frame.SpendOnText(value.String.Length)
                ? CelValue.Of((long)CodePoints(value.String))
                : CelFrame.OutOfSteps,
            CelKind.Bytes => CelValue.Of((long)value.Bytes.Length),
            CelKind.List => CelValue.Of((long)value.List.Count),
            CelKind.Map => CelValue.Of((long)value.Map.Count),
            _ => CelValue.NoOverload("size()", value),
        };

    public static CelValue StartsWith(CelFrame frame, CelValue text, CelValue part) =>
        Test(
            frame,
            "startsWith()",
            text,
            part,
            static (whole, with) => whole.StartsWith(with, StringComparison.Ordinal)
        );

    public static CelValue EndsWith(CelFrame frame, CelValue text, CelValue part) =>
        Test(frame, "endsWith()", text, part, static (whole, with) => whole.EndsWith(with, StringComparison.Ordinal));

    public static CelValue Contains(CelFrame frame, CelValue text, CelValue part)
    {
        if (text.TryString is not { } whole || part.TryString is not { } wanted)
        {
            return CelValue.NoOverload("contains()", text, part);
        }

        // A search can cost the product of both lengths, and both may be the agent's.
        var cost = Math.Min(1 + (((long)whole.Length * (wanted.Length + 16)) >> 10), int.MaxValue);
        return frame.Spend((int)cost)
            ? CelValue.Of(whole.Contains(wanted, StringComparison.Ordinal))
            : CelFrame.OutOfSteps;
    }

    /// <summary>
    /// <c>matches()</c> for one pattern. Linear in the text, and it finds a match anywhere unless the pattern says ^ or
    /// $.
    /// </summary>
    public static Func<CelFrame, CelValue, CelValue> Matches(Regex pattern) =>
        (frame, text) =>
            text.TryString switch
            {
                null => CelValue.NoOverload("matches()", text),
                var whole when frame.Spend(1 + (whole.Length >> 2)) => CelValue.Of(pattern.IsMatch(whole)),
                _ => CelFrame.OutOfSteps,
            };

    private static CelValue Test(
        CelFrame frame,
        string function,
        CelValue text,
        CelValue part,
        Func<string, string, bool> holds
    )
    {
        if (text.TryString is not { } whole || part.TryString is not { } with)
        {
            return CelValue.NoOverload(function, text, part);
        }

        return frame.SpendOnText(whole.Length) ? CelValue.Of(holds(whole, with)) : CelFrame.OutOfSteps;
    }

    private static int CodePoints(string text)
    {
        var count = text.Length;
        for (var index = 1; index < text.Length; index++)
        {
            count -= char.IsSurrogatePair(text[index - 1], text[index]) ? 1 : 0;
        }

        return count;
    }
}
