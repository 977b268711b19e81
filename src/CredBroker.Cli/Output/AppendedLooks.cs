namespace CredBroker.Cli.Output;

/// <summary>A pipe or a file: what has changed since the last look, one after the other, without escapes.</summary>
internal sealed class AppendedLooks(Terminal terminal, OutputFormat format) : WatchScreen(terminal)
{
    private (string Lasting, string Error)? _last;
    private bool _isAway;

    public override void Dispose() { }

    protected override void Show(LookText text, DateTimeOffset at)
    {
        var (look, output, error) = text;
        var lasting = look.Lasting ?? output;
        if (_isAway)
        {
            Terminal.Error.WriteLine("The broker answers again.");
            _isAway = false;
        }

        if (lasting != _last?.Lasting)
        {
            if (format != OutputFormat.Json)
            {
                Terminal.Out.WriteLine(
                    _last is null ? TimeText.Rfc3339(at) : $"{Environment.NewLine}{TimeText.Rfc3339(at)}"
                );
            }

            Terminal.Out.Write(output);
            Terminal.Out.Flush();
        }

        if (error != _last?.Error)
        {
            Terminal.Error.Write(error);
        }

        _last = (lasting, error);
    }

    protected override void TellAway(string why, DateTimeOffset seen)
    {
        if (!_isAway)
        {
            Terminal.Error.WriteLine($"{why} What stands above was so at {TimeText.Rfc3339(seen)}; trying again.");
            _isAway = true;
        }
    }
}
