using System.Buffers;
using System.Globalization;

namespace CredBroker.Cel.Values;

/// <summary>CEL's durations: nanoseconds in 64 bits, so ±292 years; beyond that is an error.</summary>
internal static class CelDuration
{
    private const long Second = 1_000_000_000;

    private static readonly SearchValues<char> NumberParts = SearchValues.Create("0123456789.");

    private static readonly (string Unit, long Nanoseconds)[] Units =
    [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("h", 3600 * Second),
        ("m", 60 * Second),
        ("s", Second),
    ];

    public static long FromTimeSpan(TimeSpan value) =>
        value.Ticks > long.MaxValue / 100 ? long.MaxValue : Math.Max(value.Ticks, long.MinValue / 100) * 100;

    /// <summary>Reads <c>1h30m</c>, <c>-1.5s</c>, <c>250ms</c>, <c>0</c>.</summary>
    public static bool TryParse(string text, out long nanoseconds)
    {
        nanoseconds = 0;
        var rest = text.AsSpan();
        var isNegative = rest.StartsWith("-");
        rest = rest is ['-' or '+', ..] ? rest[1..] : rest;
        if (rest is "0")
        {
            return true;
        }

        if (rest.IsEmpty || text.Length > 64)
        {
            return false;
        }

        decimal total = 0;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberParts);
            if (
                digits <= 0
                || !decimal.TryParse(
                    rest[..digits],
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out var number
                )
            )
            {
                return false;
            }

            rest = rest[digits..];
            var unit = UnitOf(rest);
            if (unit.Nanoseconds == 0 || number > long.MaxValue)
            {
                return false;
            }

            total += number * unit.Nanoseconds;
            rest = rest[unit.Unit.Length..];
            if (total > long.MaxValue)
            {
                return false;
            }
        }

        nanoseconds = isNegative ? -(long)total : (long)total;
        return true;
    }

    /// <summary>Seconds with as many decimals as needed: <c>1.5s</c>.</summary>
    public static string Format(long nanoseconds) =>
        $"{((decimal)nanoseconds / Second).ToString("0.#########", CultureInfo.InvariantCulture)}s";

    public static CelValue Hours(CelFrame frame, CelValue value) => Part(value, "getHours()", 3600 * Second);

    public static CelValue Minutes(CelFrame frame, CelValue value) => Part(value, "getMinutes()", 60 * Second);

    public static CelValue Seconds(CelFrame frame, CelValue value) => Part(value, "getSeconds()", Second);

    /// <summary>The milliseconds within the second, as CEL defines it.</summary>
    public static CelValue Milliseconds(CelFrame frame, CelValue value) =>
        value.Kind == CelKind.Duration
            ? CelValue.Of(value.Nanoseconds % Second / 1_000_000)
            : CelValue.NoOverload("getMilliseconds()", value);

    private static CelValue Part(CelValue value, string function, long unit) =>
        value.Kind == CelKind.Duration ? CelValue.Of(value.Nanoseconds / unit) : CelValue.NoOverload(function, value);

    private static (string Unit, long Nanoseconds) UnitOf(ReadOnlySpan<char> text)
    {
        foreach (var unit in Units)
        {
            if (text.StartsWith(unit.Unit, StringComparison.Ordinal))
            {
                return unit;
            }
        }

        return ("", 0);
    }
}
