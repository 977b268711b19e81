using System.Globalization;

namespace CredBroker.Client;

/// <summary>
/// Durations as the API, the policy document and the command line write them: a positive whole number and one unit of
/// <c>s</c>, <c>m</c> or <c>h</c>, such as <c>90s</c>, <c>10m</c> or <c>2h</c>. One duration has one shortest form;
/// reading also takes the longer ones (<c>600s</c>).
/// </summary>
public static class WireDuration
{
    /// <summary>The form as a regular expression, for schemas.</summary>
    public const string Pattern = "^[1-9][0-9]{0,7}[smh]$";

    private const int MaxDigits = 8;

    /// <summary>Writes a duration in its shortest form. It must be at least one second, in whole seconds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The duration has no such form.</exception>
    public static string Format(TimeSpan duration)
    {
        var seconds = duration.Ticks / TimeSpan.TicksPerSecond;
        if (seconds < 1 || duration.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            throw new ArgumentOutOfRangeException(
                nameof(duration),
                duration,
                "A duration is a positive number of whole seconds."
            );
        }

        var (number, unit) = (seconds % 3600, seconds % 60) switch
        {
            (0, _) => (seconds / 3600, 'h'),
            (_, 0) => (seconds / 60, 'm'),
            _ => (seconds, 's'),
        };
        var text = string.Create(CultureInfo.InvariantCulture, $"{number}{unit}");
        return text.Length <= MaxDigits + 1
            ? text
            : throw new ArgumentOutOfRangeException(
                nameof(duration),
                duration,
                "The duration is too long to be written."
            );
    }

    /// <summary>
    /// Reads a duration; false for any other form (signs, spaces, fractions, leading zeros, several units, zero).
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        if (text.Length is < 2 or > MaxDigits + 1 || text[0] == '0')
        {
            return false;
        }

        var unit = text[^1] switch
        {
            's' => 1L,
            'm' => 60L,
            'h' => 3600L,
            _ => 0L,
        };
        if (unit == 0 || !long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        duration = TimeSpan.FromTicks(number * unit * TimeSpan.TicksPerSecond);
        return true;
    }

    /// <summary>Reads a duration.</summary>
    /// <exception cref="FormatException">The text has another form.</exception>
    public static TimeSpan Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out var duration)
            ? duration
            : throw new FormatException(
                """A duration is a positive whole number and s, m or h, such as "90s", "10m" or "2h"."""
            );
}
