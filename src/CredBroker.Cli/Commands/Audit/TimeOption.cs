using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Audit;

/// <summary>A time on the command line: RFC 3339, a day, or how long ago.</summary>
internal static class TimeOption
{
    private static readonly string[] Forms =
    [
        "yyyy-MM-dd",
        "yyyy-MM-dd'T'HH:mm'Z'",
        "yyyy-MM-dd'T'HH:mm:ss'Z'",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'",
        "yyyy-MM-dd'T'HH:mm:sszzz",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
    ];

    public static Option<DateTimeOffset?> Create(string name, string description, TimeProvider time) =>
        new(name)
        {
            HelpName = "TIME",
            Description = $"{description}: 2026-03-01, 2026-03-01T09:30:00Z, or how long ago, as 24h",
            CustomParser = result => Parse(result, time),
        };

    private static DateTimeOffset? Parse(ArgumentResult result, TimeProvider time)
    {
        var text = result.Tokens[0].Value;
        if (
            DateTimeOffset.TryParseExact(
                text,
                Forms,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var moment
            )
        )
        {
            return moment;
        }

        if (WireDuration.TryParse(text, out var ago))
        {
            var now = time.GetUtcNow();
            return ago < now - DateTimeOffset.MinValue ? now - ago : DateTimeOffset.MinValue;
        }

        result.AddError(
            $"\"{text}\" is no time: write a day (2026-03-01), an RFC 3339 time "
                + "(2026-03-01T09:30:00Z), or how long ago (24h)."
        );
        return null;
    }
}
