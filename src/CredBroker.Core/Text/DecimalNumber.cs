using System.Globalization;
using System.Numerics;

namespace CredBroker.Core.Text;

/// <summary>
/// A decimal number as it was written, whatever its length: its digits without zeros at either end, times a power of
/// ten. Equal numbers are equal however they were written; zero has no digits and no sign.
/// </summary>
internal readonly record struct DecimalNumber(bool IsNegative, string Digits, BigInteger Exponent)
{
    /// <summary>Reads a number as JSON or .NET writes it.</summary>
    public static DecimalNumber Of(ReadOnlySpan<char> written)
    {
        var isNegative = written is ['-', ..];
        var mantissa = isNegative ? written[1..] : written;
        var exponent = BigInteger.Zero;
        if (mantissa.IndexOfAny('e', 'E') is >= 0 and var at)
        {
            exponent = BigInteger.Parse(
                mantissa[(at + 1)..],
                NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture
            );
            mantissa = mantissa[..at];
        }

        var point = mantissa.IndexOf('.');
        var digits = point < 0 ? mantissa.ToString() : string.Concat(mantissa[..point], mantissa[(point + 1)..]);
        exponent -= point < 0 ? 0 : mantissa.Length - point - 1;
        var kept = digits.TrimEnd('0');
        exponent += digits.Length - kept.Length;
        kept = kept.TrimStart('0');
        return kept.Length == 0 ? new(false, "", 0) : new(isNegative, kept, exponent);
    }

    /// <summary>As <c>Number::toString</c> of ECMAScript writes a double with these digits.</summary>
    public string ToEcmaScript()
    {
        if (Digits.Length == 0)
        {
            return "0";
        }

        var sign = IsNegative ? "-" : "";
        // Where the point stands, counted from the first digit.
        var point = (int)Exponent + Digits.Length;
        return point switch
        {
            > 21 or <= -6 => sign + Scientific(point - 1),
            <= 0 => $"{sign}0.{new string('0', -point)}{Digits}",
            _ when point >= Digits.Length => sign + Digits.PadRight(point, '0'),
            _ => $"{sign}{Digits[..point]}.{Digits[point..]}",
        };
    }

    /// <summary>All digits, in a form that ECMAScript never writes: no point, and no plus.</summary>
    public string ToAllDigits() =>
        string.Create(CultureInfo.InvariantCulture, $"{(IsNegative ? "-" : "")}{Digits}e{Exponent}");

    private string Scientific(int exponent) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Digits[0]}{(Digits.Length == 1 ? "" : ".")}{Digits[1..]}e{(exponent < 0 ? "" : "+")}{exponent}"
        );
}
