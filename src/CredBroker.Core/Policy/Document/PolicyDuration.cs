using System.Globalization;

namespace CredBroker.Core.Policy.Document;

/// <summary>
/// Durations as the document writes them: a positive whole number and one of <c>s</c>, <c>m</c>, <c>h</c>.
/// </summary>
internal static class PolicyDuration
{
    private const int MaxLength = 9;

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var unit =
            text.Length is < 2 or > MaxLength || text[0] == '0'
                ? 0L
                : text[^1] switch
                {
                    's' => 1L,
                    'm' => 60L,
                    'h' => 3600L,
                    _ => 0L,
                };
        if (
            unit == 0
            || !long.TryParse(
                text.AsSpan(0, text.Length - 1),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var number
            )
        )
        {
            return false;
        }

        duration = TimeSpan.FromTicks(number * unit * TimeSpan.TicksPerSecond);
        return true;
    }

    public static string Format(TimeSpan duration) =>
        ((long)duration.TotalSeconds) switch
        {
            var seconds when seconds % 3600 == 0 => $"{seconds / 3600}h",
            var seconds when seconds % 60 == 0 => $"{seconds / 60}m",
            var seconds => $"{seconds}s",
        };
}
