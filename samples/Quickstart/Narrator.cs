using System.Globalization;

namespace CredBroker.Samples.Quickstart;

/// <summary>
/// Tells the story: numbered steps, each line with the time since the start, colours on a terminal alone.
/// </summary>
internal sealed class Narrator(TextWriter output, bool colours, TimeProvider time)
{
    private const string Bold = "\e[1m";
    private const string Dim = "\e[2m";
    private const string Green = "\e[32m";
    private const string Red = "\e[31m";

    private readonly long _start = time.GetTimestamp();
    private int _number;

    /// <summary>How many steps have been told.</summary>
    public int Steps => _number;

    /// <summary>How long it has taken so far.</summary>
    public TimeSpan Elapsed => time.GetElapsedTime(_start);

    /// <summary>Begins a step.</summary>
    public void Step(string title)
    {
        output.WriteLine();
        output.WriteLine(Styled(Bold, $"{++_number, 2}. {title}"));
    }

    /// <summary>Something that happened.</summary>
    public void Say(string what) => Line(what, "");

    /// <summary>Something that was checked and holds; ends the story where it does not.</summary>
    public void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new StoryFailedException($"This should hold and does not: {what}");
        }

        Line(what, "ok ");
    }

    /// <summary>Text as it is.</summary>
    public void Plain(string text)
    {
        output.WriteLine();
        output.WriteLine(text);
    }

    /// <summary>The story ended early.</summary>
    public void Failed(string why)
    {
        output.WriteLine();
        output.WriteLine(Styled(Red, $"FAILED in step {_number}. {why}"));
    }

    private void Line(string what, string mark) =>
        output.WriteLine(
            $"    {Styled(Dim, string.Create(CultureInfo.InvariantCulture, $"{Elapsed.TotalSeconds, 6:0.00} s"))}  "
                + $"{Styled(Green, mark)}{what}"
        );

    private string Styled(string style, string text) => colours && text.Length > 0 ? $"{style}{text}\e[0m" : text;
}
