using System.CommandLine;
using System.Globalization;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>How far to look back on the command line: days, or a duration.</summary>
internal static class PastPeriod
{
    private const int MaxDays = 3650;

    public static Option<TimeSpan?> Create(string name, string description) =>
        new(name)
        {
            HelpName = "30d",
            Description = description,
            CustomParser = result =>
            {
                if (TryParse(result.Tokens[0].Value, out var period))
                {
                    return period;
                }

                result.AddError(
                    $"\"{result.Tokens[0].Value}\" is no period: write a whole number and d, h, m or s, such as 30d or 12h."
                );
                return null;
            },
        };

    private static bool TryParse(string text, out TimeSpan period)
    {
        if (
            text.EndsWith('d')
            && int.TryParse(
                text.AsSpan(0, text.Length - 1),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var days
            )
        )
        {
            period = TimeSpan.FromDays(Math.Clamp(days, 0, MaxDays));
            return days is > 0 and <= MaxDays;
        }

        return WireDuration.TryParse(text, out period) && period <= TimeSpan.FromDays(MaxDays);
    }
}
