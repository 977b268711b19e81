namespace CredBroker.Cli.Output;

/// <summary>Asks the person at the terminal before something is done that is not taken back easily.</summary>
internal static class Question
{
    private const int LongestAnswer = 64;

    /// <summary>Whether they say yes; nothing typed is no.</summary>
    /// <exception cref="CliException">Nobody is there to be asked.</exception>
    public static async Task<bool> AskAsync(Terminal terminal, string question, CancellationToken cancellationToken)
    {
        if (!terminal.InIsTerminal)
        {
            throw CliException.Usage(
                "Nobody is there to be asked whether to go on.",
                "Look at what it would do (credbroker policy diff, replay), and add --yes."
            );
        }

        await terminal.Error.WriteAsync($"{question} [y/N] ");
        await terminal.Error.FlushAsync(cancellationToken);
        var answer = new List<byte>();
        var one = new byte[1];
        while (
            answer.Count < LongestAnswer
            && await terminal.In.ReadAsync(one, cancellationToken) == 1
            && one[0] is not (byte)'\n'
        )
        {
            answer.Add(one[0]);
        }

        return System.Text.Encoding.UTF8.GetString([.. answer]).Trim().ToUpperInvariant() is "Y" or "YES";
    }
}
