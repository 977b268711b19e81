using System.CommandLine;
using System.CommandLine.Parsing;
using CredBroker.Core.Text;

namespace CredBroker.Cli;

/// <summary>
/// What is wrong with a command line before anything is asked of anybody. The parser takes what begins like an option
/// and is none for an argument or another option's value where one is missing (<c>leases revoke --reasn x</c> would be
/// about the lease <c>--reasn</c>), and an option of one value that stands twice where it needs none: both are faults
/// here.
/// </summary>
internal static class UsageFaults
{
    private const string EndOfOptions = "--";

    public static IReadOnlyList<string> Of(ParseResult parsed, IReadOnlyList<string> args)
    {
        var (command, path) = (parsed.CommandResult.Command, Path(parsed.CommandResult));
        string[] own = [.. Unknown(command, path, args), .. Repeated(parsed.CommandResult)];
        if (
            parsed.Errors.Count > 0
            && command.Subcommands.Count > 0
            && parsed.UnmatchedTokens.FirstOrDefault(token => !token.StartsWith('-')) is { } slip
        )
        {
            // With the command it belongs to unknown, an option is not known either.
            return
            [
                $"There is no command {path} {slip}"
                    + (
                        Spelling.Nearest(slip, command.Subcommands.Select(sub => sub.Name)) is { } meant
                            ? $", did you mean {path} {meant}?"
                            : "."
                    ),
            ];
        }

        return own switch
        {
            { Length: > 0 } => own,
            _ when parsed is { Errors.Count: > 0, UnmatchedTokens: [var first, ..] } =>
            [
                $"{first} is more than {path} takes.",
            ],
            _ =>
            [
                .. parsed.Errors.Select(error =>
                    string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
                ),
            ],
        };
    }

    /// <summary>The command as it is typed: <c>credbroker leases revoke</c>.</summary>
    public static string Path(SymbolResult? result) =>
        result switch
        {
            CommandResult { Parent: null } => "credbroker",
            CommandResult command => $"{Path(command.Parent)} {command.Command.Name}",
            _ => "",
        };

    private static IEnumerable<string> Unknown(Command command, string path, IReadOnlyList<string> args)
    {
        var options = OptionsOf(command).ToList();
        var known = options.SelectMany(option => option.Aliases.Append(option.Name)).ToHashSet(StringComparer.Ordinal);
        var before = "";
        foreach (var arg in args.TakeWhile(arg => arg != EndOfOptions))
        {
            var name = arg.Split('=', ':')[0];
            if (LooksLikeOption(name) && !known.Contains(name) && !(name[1] != '-' && known.Contains(name[..2])))
            {
                var meant = name.StartsWith("--", StringComparison.Ordinal)
                    ? Spelling.Nearest(name[2..], options.Select(option => option.Name.TrimStart('-')))
                    : null;
                yield return $"{name} is no option of {path}"
                    + (meant is null ? "." : $", did you mean --{meant}?")
                    + (TakesValue(options, before) ? $" A value that begins with - is given as {before}={arg}." : "");
            }

            before = arg;
        }
    }

    private static IEnumerable<string> Repeated(CommandResult command) =>
        command
            .Children.OfType<OptionResult>()
            .Where(option => option is { IdentifierTokenCount: > 1, Option.Arity.MaximumNumberOfValues: <= 1 })
            .Select(option => $"{option.Option.Name} is given {option.IdentifierTokenCount} times, and counts once.");

    /// <summary>A number or a sentence that begins with a dash is none.</summary>
    private static bool LooksLikeOption(string text) =>
        text is ['-', '-' or (>= 'A' and <= 'Z') or (>= 'a' and <= 'z'), ..] && !text.Any(char.IsWhiteSpace);

    private static bool TakesValue(IEnumerable<Option> options, string name) =>
        options.FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name))
            is { Arity.MinimumNumberOfValues: > 0 };

    /// <summary>Its own, and those of the commands above it that count below them too.</summary>
    private static IEnumerable<Option> OptionsOf(Command command) =>
        command.Options.Concat(
            command.Parents.OfType<Command>().SelectMany(OptionsOf).Where(option => option.Recursive)
        );
}
