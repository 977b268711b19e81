using System.Globalization;
using System.Text;

namespace CredBroker.Dev.Vault.Values;

/// <summary>
/// Durations and times as Vault writes them: seconds as a number or text, or Go's form (<c>1h30m</c>); times in RFC
/// 3339.
/// </summary>
internal static class DevVaultDuration
{
    /// <summary>
    /// What a token or lease gets when nothing is asked for, and the most that it may live: 32 days, as Vault has it.
    /// </summary>
    public static readonly TimeSpan SystemMaximum = TimeSpan.FromHours(768);

    private const double LongestSeconds = 100d * 365 * 24 * 3600;

    /// <summary>
    /// Reads a duration, which may be negative; zero for no text. What is no duration is answered with Go's words for
    /// its fault.
    /// </summary>
    public static string? Fault(string text, out TimeSpan duration)
    {
        var negative = text.StartsWith('-');
        var read = TryParse(negative ? text[1..] : text, out duration);
        duration = negative ? -duration : duration;
        if (read || text.Length == 0)
        {
            return null;
        }

        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _)
            ? $"time: missing unit in duration \"{text}\""
            : $"time: invalid duration \"{text}\"";
    }

    private static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            duration = TimeSpan.FromSeconds(Math.Min(seconds, (long)LongestSeconds));
            return true;
        }

        double total = 0;
        for (var at = 0; at < text.Length; )
        {
            var digits = at;
            while (at < text.Length && (char.IsAsciiDigit(text[at]) || text[at] == '.'))
            {
                at++;
            }

            var unit = at;
            while (at < text.Length && char.IsAsciiLetter(text[at]))
            {
                at++;
            }

            if (
                unit == digits
                || at == unit
                || !double.TryParse(
                    text.AsSpan(digits, unit - digits),
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out var value
                )
                || Seconds(text[unit..at]) is not { } factor
            )
            {
                return false;
            }

            total += value * factor;
        }

        duration = TimeSpan.FromSeconds(Math.Min(total, LongestSeconds));
        return text.Length > 0;
    }

    /// <summary>Go's form without zero parts, as in Vault's warnings.</summary>
    public static string ToText(TimeSpan duration)
    {
        var text = new StringBuilder();
        Append((long)duration.TotalHours, 'h');
        Append(duration.Minutes, 'm');
        Append(duration.Seconds, 's');
        return text.Length == 0 ? "0s" : text.ToString();

        void Append(long value, char unit)
        {
            if (value > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{value}{unit}");
            }
        }
    }

    /// <summary>A time in RFC 3339 with its fraction, in UTC.</summary>
    public static string ToText(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    private static double? Seconds(string unit) =>
        unit switch
        {
            "ms" => 0.001,
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => null,
        };
}
