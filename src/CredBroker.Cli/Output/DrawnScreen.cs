namespace CredBroker.Cli.Output;

/// <summary>
/// A terminal: its other screen is drawn anew at each look, no higher than it is, and the last look stays when that ends.
/// </summary>
internal sealed class DrawnScreen : WatchScreen
{
    private const string Enter = "\e[?1049h\e[?25l";
    private const string Leave = "\e[?25h\e[?1049l";
    private const string Home = "\e[H";
    private const string EndOfLine = "\e[K";
    private const string EndOfScreen = "\e[J";
    private const string Loud = "\e[1;31m";
    private const string Dim = "\e[2m";
    private const string Normal = "\e[0m";

    private readonly string _title;
    private string _last = "";

    public DrawnScreen(Terminal terminal, string title)
        : base(terminal)
    {
        _title = title;
        terminal.Out.Write(Enter);
    }

    public override void Dispose()
    {
        Terminal.Out.Write(Leave);
        Terminal.Out.Write(_last);
        Terminal.Out.Flush();
    }

    protected override void Show(LookText text, DateTimeOffset at) =>
        Draw([], _last = text.Output, $"{_title}, at {TimeText.Rfc3339(at)}. Ctrl-C ends.");

    protected override void TellAway(string why, DateTimeOffset seen) =>
        Draw(
            [why, $"What stands below was so at {TimeText.Rfc3339(seen)}."],
            _last,
            $"{_title}, tried at {TimeText.Rfc3339(Terminal.Time.GetUtcNow())}. Ctrl-C ends."
        );

    private void Draw(string[] warning, string body, string title)
    {
        var profile = Terminal.OutConsole().Profile;
        var isColoured = profile.Capabilities.ColorSystem != Spectre.Console.ColorSystem.NoColors;
        List<string> lines =
        [
            .. Fold(title, profile.Width).Select(line => $"{Dim}{line}{Normal}"),
            .. warning
                .SelectMany(line => Fold(line, profile.Width))
                .Select(line => isColoured ? $"{Loud}{line}{Normal}" : line),
            "",
            .. body.TrimEnd().Split(Environment.NewLine).SelectMany(line => Fold(line, profile.Width)),
        ];
        if (lines.Count > profile.Height)
        {
            var kept = Math.Max(0, profile.Height - 1);
            var left = lines.Count - kept;
            lines.RemoveRange(kept, left);
            lines.Add($"… and {left} lines more, for which the terminal is too low.");
        }

        Terminal.Out.Write(Home + string.Join('\n', lines.Select(line => line + EndOfLine)) + EndOfScreen);
        Terminal.Out.Flush();
    }

    /// <summary>A line of a table fits already, and its escapes are not to be cut; a sentence goes on in the next.</summary>
    private static IEnumerable<string> Fold(string line, int width) =>
        line.Length <= width || line.Contains('\e') ? [line] : line.Chunk(width).Select(part => new string(part));
}
