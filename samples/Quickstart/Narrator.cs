using System.Globalization;

namespace CredBroker.Samples.Quickstart;

/// <summary>
/// Tells the story: numbered steps, each line with the time since the start; on a terminal in colours, and in lines
/// that fit it.
/// </summary>
/// <param name="output">Where it is told.</param>
/// <param name="colours">Whether it may use them.</param>
/// <param name="width">The columns there are; null where it does not matter.</param>
/// <param name="time">The clock.</param>
internal sealed class Narrator(TextWriter output, bool colours, int? width, TimeProvider time)
{
    private const int Indent = 15;
    private const int Narrowest = 40;

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

    /// <summary>A paragraph.</summary>
    public void Plain(string text)
    {
        output.WriteLine();
        foreach (var line in text.Split('\n').SelectMany(line => Wrapped(line, indent: 0)))
        {
            output.WriteLine(line);
        }
    }

    /// <summary>Text as it is, to be copied.</summary>
    public void Verbatim(string text)
    {
        output.WriteLine();
        output.WriteLine(text);
    }

    /// <summary>The story ended early.</summary>
    public void Failed(string why)
    {
        output.WriteLine();
        foreach (var line in Wrapped($"FAILED in step {_number}. {why}", indent: 0))
        {
            output.WriteLine(Styled(Red, line));
        }
    }

    private void Line(string what, string mark)
    {
        var lines = Wrapped(what, Indent + mark.Length);
        output.WriteLine(
            $"   {Styled(Dim, string.Create(CultureInfo.InvariantCulture, $"{Elapsed.TotalSeconds, 6:0.00} s"))}    "
                + $"{Styled(Green, mark)}{lines[0]}"
        );
        foreach (var line in lines.Skip(1))
        {
            output.WriteLine($"{new string(' ', Indent + mark.Length)}{line}");
        }
    }

    /// <summary>The text in pieces that fit, broken between words; a word that is longer than a line stays whole.</summary>
    private List<string> Wrapped(string text, int indent)
    {
        if (width is not { } columns || columns < indent + Narrowest)
        {
            return [text];
        }

        var own = text[..^text.TrimStart(' ').Length];
        var lines = new List<string>();
        var line = "";
        var room = columns - indent - own.Length;
        foreach (var word in text[own.Length..].Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > room)
            {
                lines.Add(own + line);
                line = "";
            }

            line = line.Length == 0 ? word : $"{line} {word}";
        }

        return [.. lines, own + line];
    }

    private string Styled(string style, string text) => colours && text.Length > 0 ? $"{style}{text}\e[0m" : text;
}
