namespace CredBroker.Cel.Values;

/// <summary>
/// CEL's equality and ordering: numbers compare by value across their types, everything else only within its type; text
/// compares by code point.
/// </summary>
internal static class CelEquality
{
    /// <summary>
    /// Whether two values, neither an error, are equal. Values of different types are unequal, not an error. Pays for
    /// what it walks.
    /// </summary>
    public static bool AreEqual(CelFrame frame, CelValue left, CelValue right)
    {
        var (kind, other) = (left.Kind, right.Kind);
        if (kind != other)
        {
            return IsNumber(kind) && IsNumber(other) && Compare(left, right) == 0;
        }

        return kind switch
        {
            CelKind.String => TextEquals(frame, left.String, right.String),
            CelKind.Double => left.Double == right.Double,
            CelKind.Bytes => frame.SpendOnText(left.Bytes.Length) && left.Bytes.AsSpan().SequenceEqual(right.Bytes),
            CelKind.List => ListsEqual(frame, left.List, right.List),
            CelKind.Map => MapsEqual(frame, left.Map, right.Map),
            CelKind.Timestamp => left.Instant == right.Instant,
            CelKind.Null => true,
            CelKind.Error => false,
            _ => left.Int == right.Int,
        };
    }

    /// <summary>Orders two values: negative, 0, positive; null where they have no order (another type, NaN).</summary>
    public static int? Compare(CelValue left, CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) or (CelKind.Bool, CelKind.Bool) or (CelKind.Duration, CelKind.Duration) =>
                left.Int.CompareTo(right.Int),
            (CelKind.Timestamp, CelKind.Timestamp) => left.Instant.CompareTo(right.Instant),
            (CelKind.Uint, CelKind.Uint) => left.Uint.CompareTo(right.Uint),
            (CelKind.Int, CelKind.Uint) => left.Int < 0 ? -1 : ((ulong)left.Int).CompareTo(right.Uint),
            (CelKind.Uint, CelKind.Int) => right.Int < 0 ? 1 : left.Uint.CompareTo((ulong)right.Int),
            (CelKind.Double, CelKind.Double) => OrderOf(left.Double, right.Double),
            (CelKind.Int or CelKind.Uint, CelKind.Double) => -CompareDouble(right.Double, left),
            (CelKind.Double, CelKind.Int or CelKind.Uint) => CompareDouble(left.Double, right),
            (CelKind.String, CelKind.String) => CompareText(left.String, right.String),
            (CelKind.Bytes, CelKind.Bytes) => left.Bytes.AsSpan().SequenceCompareTo(right.Bytes),
            _ => null,
        };

    public static bool IsNumber(CelKind kind) => kind is CelKind.Int or CelKind.Uint or CelKind.Double;

    private static int? OrderOf(double left, double right) =>
        double.IsNaN(left) || double.IsNaN(right) ? null : left.CompareTo(right);

    // As the specification's cases want it: beyond the integer's own range the double decides, within it the integer is
    // rounded to a double.
    private static int? CompareDouble(double left, CelValue right) =>
        (right.Kind, left) switch
        {
            (CelKind.Int, < long.MinValue) => -1,
            (CelKind.Int, > long.MaxValue) => 1,
            (CelKind.Int, _) => OrderOf(left, right.Int),
            (_, < 0) => -1,
            (_, > ulong.MaxValue) => 1,
            _ => OrderOf(left, right.Uint),
        };

    private static bool TextEquals(CelFrame frame, string left, string right) =>
        left.Length == right.Length
        && (left.Length < 64 || frame.SpendOnText(left.Length))
        && string.Equals(left, right, StringComparison.Ordinal);

    // Ordinal UTF-16 order puts surrogates (U+10000 and above) before U+E000: swap those two ranges to get the order of
    // code points.
    private static int CompareText(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        return common == left.Length || common == right.Length
            ? left.Length.CompareTo(right.Length)
            : Rank(left[common]) - Rank(right[common]);

        static int Rank(char unit) =>
            unit switch
            {
                >= '\uE000' => unit - 0x800,
                _ when char.IsSurrogate(unit) => unit + 0x2000,
                _ => unit,
            };
    }

    private static bool ListsEqual(CelFrame frame, CelList left, CelList right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        for (var index = 0; index < left.Count; index++)
        {
            if (!frame.Spend(1) || !AreEqual(frame, left[index], right[index]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool MapsEqual(CelFrame frame, CelMap left, CelMap right)
    {
        if (left.Count != right.Count)
        {
            return false;
        }

        foreach (var key in left.Keys())
        {
            if (
                !frame.Spend(1)
                || !left.TryGet(frame, key, out var one)
                || !right.TryGet(frame, key, out var other)
                || !AreEqual(frame, one, other)
            )
            {
                return false;
            }
        }

        return true;
    }
}
