using System.Globalization;

namespace CredBroker.Cel.Values;

/// <summary>
/// CEL's timestamps: nanoseconds from the year 1 to the year 9999, beyond that is an error. There is no clock: a
/// condition knows only the times that it is given. Time zones are offsets; a zone's name would make the answer depend
/// on the machine that gives it.
/// </summary>
internal static class CelTimestamp
{
    private const long Second = 1_000_000_000;
    private const string Form = "yyyy-MM-dd'T'HH:mm:ss";

    private static readonly Int128 Latest = ((Int128)DateTime.MaxValue.Ticks * 100) + 99;

    public static Int128 From(DateTimeOffset value) => (Int128)value.UtcTicks * 100;

    /// <summary>A timestamp so many nanoseconds after the first one there is.</summary>
    public static CelValue At(Int128 nanoseconds) =>
        nanoseconds >= 0 && nanoseconds <= Latest
            ? CelValue.OfInstant(nanoseconds)
            : CelValue.Fail("the timestamp is out of range");

    /// <summary>A timestamp by seconds since 1970.</summary>
    public static CelValue AtSecond(long seconds) => At(From(DateTimeOffset.UnixEpoch) + ((Int128)seconds * Second));

    /// <summary>The seconds since 1970, rounded down.</summary>
    public static long SecondOf(Int128 nanoseconds) =>
        (long)(nanoseconds / Second) - (DateTimeOffset.UnixEpoch.UtcTicks / TimeSpan.TicksPerSecond);

    /// <summary>Reads RFC 3339, with up to nine decimals of a second.</summary>
    public static CelValue Parse(string text)
    {
        var rest = text.AsSpan();
        if (
            rest.Length is < 20 or > 35
            || !DateTime.TryParseExact(
                rest[..19],
                Form,
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var local
            )
        )
        {
            return NotATimestamp;
        }

        rest = rest[19..];
        long fraction = 0;
        if (rest[0] == '.')
        {
            var digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 9)
            {
                return NotATimestamp;
            }

            fraction = long.Parse(rest.Slice(1, digits), NumberStyles.None, CultureInfo.InvariantCulture);
            for (var digit = digits; digit < 9; digit++)
            {
                fraction *= 10;
            }

            rest = rest[(digits + 1)..];
        }

        return (rest is "Z" ? TimeSpan.Zero : OffsetOf(rest, isSigned: true)) is { } offset
            ? At((((Int128)local.Ticks - offset.Ticks) * 100) + fraction)
            : NotATimestamp;
    }

    /// <summary>RFC 3339 in UTC, with as many decimals as needed.</summary>
    public static string Format(Int128 nanoseconds)
    {
        var whole = new DateTime((long)(nanoseconds / 100)).ToString(Form, CultureInfo.InvariantCulture);
        var fraction = ((decimal)(long)(nanoseconds % Second) / Second).ToString(
            ".#########",
            CultureInfo.InvariantCulture
        );
        return $"{whole}{fraction}Z";
    }

    /// <summary>A method that gives a part of the timestamp in UTC.</summary>
    public static CelValue Part(CelValue value, string function, Func<DateTime, long> part) =>
        value.Kind == CelKind.Timestamp
            ? CelValue.Of(part(new((long)(value.Instant / 100))))
            : CelValue.NoOverload(function, value);

    /// <summary>The same where an offset from UTC is named: <c>+11:00</c>, <c>-02:30</c>, <c>02:00</c>, <c>UTC</c>.</summary>
    public static CelValue Part(CelValue value, CelValue zone, string function, Func<DateTime, long> part)
    {
        if (value.Kind != CelKind.Timestamp || zone.TryString is not { } name)
        {
            return CelValue.NoOverload(function, value, zone);
        }

        if ((name is "UTC" ? TimeSpan.Zero : OffsetOf(name, isSigned: false)) is not { } offset)
        {
            return CelValue.Fail("the time zone is no offset such as +02:00");
        }

        var ticks = (long)(value.Instant / 100) + offset.Ticks;
        return ticks >= 0 && ticks <= DateTime.MaxValue.Ticks
            ? CelValue.Of(part(new(ticks)))
            : CelValue.Fail("the timestamp is out of range");
    }

    private static TimeSpan? OffsetOf(ReadOnlySpan<char> text, bool isSigned)
    {
        var isNegative = text is ['-', ..];
        var digits = text is ['-' or '+', ..] ? text[1..] : text;
        if (
            (isSigned && digits.Length == text.Length)
            || !TimeSpan.TryParseExact(digits, @"hh\:mm", CultureInfo.InvariantCulture, out var offset)
        )
        {
            return null;
        }

        return isNegative ? -offset : offset;
    }

    private static readonly CelValue NotATimestamp = CelValue.Fail("the string is no timestamp");
}
