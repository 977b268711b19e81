namespace CredBroker.Cli.Output;

/// <summary>A pipe or a file: what has changed since the last look, one after the other, without escapes.</summary>
internal sealed class AppendedLooks(Terminal terminal, OutputFormat format) : WatchScreen(terminal)
{
    private (string Output, string Error)? _last;
    private bool _isAway;

    public override void Dispose() { }

    protected override void Show(string output, string error, DateTimeOffset at)
    {
        if (_isAway)
        {
            Terminal.Error.WriteLine("The broker answers again.");
            _isAway = false;
        }

        if (output != _last?.Output)
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

        _last = (output, error);
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
