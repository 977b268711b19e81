using System.Globalization;
using System.Text;

namespace CredBroker.Cel.Values;

/// <summary>CEL's conversions: explicit, exact or an error, the same in every culture.</summary>
internal static class CelConversions
{
    private static readonly UTF8Encoding StrictUtf8 = new(
        encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true
    );

    public static CelValue ToInt(CelFrame frame, CelValue value) =>
        value.Kind switch
        {
            CelKind.Int => value,
            CelKind.Uint => value.Uint <= long.MaxValue ? CelValue.Of((long)value.Uint) : OutOfRange,
            CelKind.Timestamp => CelValue.Of(CelTimestamp.SecondOf(value.Instant)),
            // -2^63 itself is refused too: a double that near the edge may stand for something beyond it.
            CelKind.Double => value.Double is > -9223372036854775808.0 and < 9223372036854775808.0
                ? CelValue.Of((long)value.Double)
                : OutOfRange,
            CelKind.String => long.TryParse(
                value.String,
                NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out var parsed
            )
                ? CelValue.Of(parsed)
                : NotA("int"),
            _ => CelValue.NoOverload("int()", value),
        };

    public static CelValue ToUint(CelFrame frame, CelValue value) =>
        value.Kind switch
        {
            CelKind.Uint => value,
            CelKind.Int => value.Int >= 0 ? CelValue.Of((ulong)value.Int) : OutOfRange,
            CelKind.Double => value.Double is >= 0 and < 18446744073709551616.0
                ? CelValue.Of((ulong)value.Double)
                : OutOfRange,
            CelKind.String => ulong.TryParse(
                value.String,
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var parsed
            )
                ? CelValue.Of(parsed)
                : NotA("uint"),
            _ => CelValue.NoOverload("uint()", value),
        };

    public static CelValue ToDouble(CelFrame frame, CelValue value) =>
        value.Kind switch
        {
            CelKind.Double => value,
            CelKind.Int => CelValue.Of((double)value.Int),
            CelKind.Uint => CelValue.Of((double)value.Uint),
            CelKind.String => ParseDouble(value.String) is { } parsed ? CelValue.Of(parsed) : NotA("double"),
            _ => CelValue.NoOverload("double()", value),
        };

    public static CelValue ToText(CelFrame frame, CelValue value)
    {
        switch (value.Kind)
        {
            case CelKind.String:
                return value;
            case CelKind.Bool:
                return CelValue.Of(value.IsTrue ? "true" : "false");
            case CelKind.Int:
                return CelValue.Of(value.Int.ToString(CultureInfo.InvariantCulture));
            case CelKind.Uint:
                return CelValue.Of(value.Uint.ToString(CultureInfo.InvariantCulture));
            case CelKind.Double:
                return CelValue.Of(
                    value.Double.ToString("R", CultureInfo.InvariantCulture).Replace("E", "e", StringComparison.Ordinal)
                );
            case CelKind.Duration:
                return CelValue.Of(CelDuration.Format(value.Nanoseconds));
            case CelKind.Timestamp:
                return CelValue.Of(CelTimestamp.Format(value.Instant));
            case CelKind.Bytes when frame.SpendOnText(value.Bytes.Length):
                try
                {
                    return CelValue.Of(StrictUtf8.GetString(value.Bytes));
                }
                catch (DecoderFallbackException)
                {
                    return CelValue.Fail("the bytes are not UTF-8");
                }

            default:
                return frame.IsExhausted ? CelFrame.OutOfSteps : CelValue.NoOverload("string()", value);
        }
    }

    public static CelValue ToBytes(CelFrame frame, CelValue value) =>
        value.Kind switch
        {
            CelKind.Bytes => value,
            CelKind.String => frame.SpendOnText(value.String.Length)
                ? CelValue.Of(Encoding.UTF8.GetBytes(value.String))
                : CelFrame.OutOfSteps,
            _ => CelValue.NoOverload("bytes()", value),
        };

    public static CelValue ToBool(CelFrame frame, CelValue value) =>
        value.Kind switch
        {
            CelKind.Bool => value,
            CelKind.String => value.String switch
            {
                "true" or "TRUE" or "True" or "t" or "1" => CelValue.Of(true),
                "false" or "FALSE" or "False" or "f" or "0" => CelValue.Of(false),
                _ => NotA("bool"),
            },
            _ => CelValue.NoOverload("bool()", value),
        };

    public static CelValue ToDuration(CelFrame frame, CelValue value) =>
        value.Kind switch
        {
            CelKind.Duration => value,
            CelKind.String => CelDuration.TryParse(value.String, out var nanoseconds)
                ? CelValue.OfNanoseconds(nanoseconds)
                : NotA("duration"),
            _ => CelValue.NoOverload("duration()", value),
        };

    public static CelValue ToTimestamp(CelFrame frame, CelValue value) =>
        value.Kind switch
        {
            CelKind.Timestamp => value,
            CelKind.Int => CelTimestamp.AtSecond(value.Int),
            CelKind.String => CelTimestamp.Parse(value.String),
            _ => CelValue.NoOverload("timestamp()", value),
        };

    private static double? ParseDouble(string text) =>
        text switch
        {
            "NaN" => double.NaN,
            "Infinity" or "inf" or "+inf" or "+Infinity" => double.PositiveInfinity,
            "-Infinity" or "-inf" => double.NegativeInfinity,
            _ => double.TryParse(
                text,
                NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
                CultureInfo.InvariantCulture,
                out var value
            ) && double.IsFinite(value)
                ? value
                : null,
        };

    private static CelValue NotA(string type) => CelValue.Fail($"the string is no {type}");

    private static readonly CelValue OutOfRange = CelValue.Fail("the number is out of range");
}
