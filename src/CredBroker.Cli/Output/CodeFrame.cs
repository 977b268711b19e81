using System.Globalization;

namespace CredBroker.Cli.Output;

/// <summary>A line of a document with a caret under the place that a message is about.</summary>
internal static class CodeFrame
{
    // What stands before the place says what it belongs to; what comes long after it says nothing.
    private const int Widest = 100;
    private const string Cut = "…";

    /// <summary>Two lines without a line end: the text behind its number, and the caret.</summary>
    /// <param name="line">The line, without its line end.</param>
    /// <param name="number">From 1.</param>
    /// <param name="column">From 1, in UTF-16 code units.</param>
    public static string Of(string line, int number, int column)
    {
        var text = Printable.Text(line.TrimEnd().Replace('\t', ' '));
        var at = Math.Clamp(column - 1, 0, text.Length);
        var start = Math.Max(0, at - (Widest * 2 / 3));
        var shown = text[start..Math.Min(text.Length, start + Widest)];
        var before = start > 0 ? Cut : "";
        var after = start + Widest < text.Length ? Cut : "";
        var margin = number.ToString(CultureInfo.InvariantCulture);
        return $"  {margin} | {before}{shown}{after}{Environment.NewLine}"
            + $"  {new string(' ', margin.Length)} | {new string(' ', before.Length + at - start)}^";
    }
}
