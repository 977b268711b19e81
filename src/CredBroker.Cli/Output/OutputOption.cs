using System.CommandLine;
using System.CommandLine.Parsing;

namespace CredBroker.Cli.Output;

/// <summary>How results are written.</summary>
internal enum OutputFormat
{
    /// <summary>For a person at a terminal.</summary>
    Table,

    /// <summary>Aligned columns without borders or colours: for pipes and files.</summary>
    Plain,

    /// <summary>One JSON document: for programs.</summary>
    Json,
}

/// <summary><c>--output</c>.</summary>
internal static class OutputOption
{
    private const string Name = "--output";
    private const string Alias = "-o";

    public static Option<string?> Create()
    {
        var option = new Option<string?>(Name, Alias)
        {
            Description = "table (the default on a terminal), plain (the default in a pipe) or json",
            HelpName = "FORMAT",
        };
        option.AcceptOnlyFromAmong("table", "plain", "json");
        return option;
    }

    /// <summary>
    /// The format asked for; without the option, or for a command that has none, what fits standard output.
    /// </summary>
    public static OutputFormat Of(ParseResult parsed, Terminal terminal) =>
        (parsed.GetResult(Name) as OptionResult)?.GetValueOrDefault<string?>() switch
        {
            "json" => OutputFormat.Json,
            "plain" => OutputFormat.Plain,
            "table" => OutputFormat.Table,
            _ => terminal.OutIsTerminal ? OutputFormat.Table : OutputFormat.Plain,
        };

    /// <summary>
    /// Whether errors are told as JSON: also where the rest of the command line cannot be read, or the command has no
    /// such option, whose value the parser leaves with its name then.
    /// </summary>
    public static bool AsksForJson(ParseResult parsed)
    {
        var own = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).ToList();
        return own.Any(token => token.Value is Name + "=json" or Name + ":json" or Alias + "=json" or Alias + ":json")
            || own.Zip(own.Skip(1)).Any(pair => pair is { First.Value: Name or Alias, Second.Value: "json" });
    }
}
