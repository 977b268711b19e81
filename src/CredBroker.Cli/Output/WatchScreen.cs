namespace CredBroker.Cli.Output;

/// <summary>Where the looks of <see cref="Watch"/> are shown.</summary>
internal abstract class WatchScreen : IDisposable
{
    private DateTimeOffset _seen;

    protected WatchScreen(Terminal terminal) => Terminal = terminal;

    protected Terminal Terminal { get; }

    public static WatchScreen Open(Terminal terminal, OutputFormat format, string title) =>
        format == OutputFormat.Table && terminal.OutIsTerminal && terminal.OutConsole().Profile.Capabilities.Ansi
            ? new DrawnScreen(terminal, title)
            : new AppendedLooks(terminal, format);

    /// <summary>Looks, and shows nothing yet.</summary>
    public async Task<LookText> LookAsync(Func<Terminal, Task<Look>> lookAsync)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var look = await lookAsync(Terminal.Into(output, this is DrawnScreen ? output : error));
        return new(look, output.ToString(), error.ToString());
    }

    /// <summary>Shows a look as what is so now.</summary>
    public void Show(LookText text)
    {
        _seen = Terminal.Time.GetUtcNow();
        Show(text, _seen);
    }

    /// <summary>The broker does not answer: what was seen last is no longer known to be so.</summary>
    public void TellAway(Exception exception) =>
        TellAway($"The broker does not answer: {Printable.Text(Failures.WordsOf(exception))}", _seen);

    public abstract void Dispose();

    protected abstract void Show(LookText text, DateTimeOffset at);

    protected abstract void TellAway(string why, DateTimeOffset seen);
}
