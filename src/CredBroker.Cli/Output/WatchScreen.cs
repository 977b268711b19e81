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

    public async Task<Look> LookAsync(Func<Terminal, Task<Look>> lookAsync)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var look = await lookAsync(Terminal.Into(output, this is DrawnScreen ? output : error));
        _seen = Terminal.Time.GetUtcNow();
        Show(output.ToString(), error.ToString(), _seen);
        return look;
    }

    /// <summary>The broker does not answer: what was seen last is no longer known to be so.</summary>
    public void TellAway(Exception exception) =>
        TellAway($"The broker does not answer: {Printable.Text(Failures.WordsOf(exception))}", _seen);

    public abstract void Dispose();

    protected abstract void Show(string output, string error, DateTimeOffset at);

    protected abstract void TellAway(string why, DateTimeOffset seen);
}
