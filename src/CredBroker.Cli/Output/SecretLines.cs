using CredBroker.Client;

namespace CredBroker.Cli.Output;

/// <summary>
/// A secret as lines of <c>name: value</c>: the one place where the command line prints one, because <c>exchange</c>
/// was asked to.
/// </summary>
internal static class SecretLines
{
    public static void Write(SecretResponse secret, Terminal terminal)
    {
        foreach (var (name, value) in SecretMembers.Of(secret))
        {
            // Exact where a program reads; harmless where a terminal would obey escape sequences.
            var text = terminal.OutIsTerminal ? Printable.Lines(value) : value;
            terminal.Out.WriteLine(
                text.Contains('\n', StringComparison.Ordinal) ? $"{name}:\n{text.TrimEnd()}" : $"{name}: {text}"
            );
        }
    }
}
