using CredBroker.Cel.Values;

namespace CredBroker.Cel.Nodes;

/// <summary>
/// CEL's operators on values that are no errors. Overflow is an error, as is division by zero; there is no implicit
/// conversion.
/// </summary>
internal static class CelOperators
{
    public static CelValue Equal(CelFrame frame, CelValue left, CelValue right) =>
        CelValue.Of(CelEquality.AreEqual(frame, left, right));

    public static CelValue NotEqual(CelFrame frame, CelValue left, CelValue right) =>
        CelValue.Of(!CelEquality.AreEqual(frame, left, right));

    public static CelValue Less(CelFrame frame, CelValue left, CelValue right) =>
        Order(frame, "<", left, right, static order => order < 0);

    public static CelValue LessOrEqual(CelFrame frame, CelValue left, CelValue right) =>
        Order(frame, "<=", left, right, static order => order <= 0);

    public static CelValue Greater(CelFrame frame, CelValue left, CelValue right) =>
        Order(frame, ">", left, right, static order => order > 0);

    public static CelValue GreaterOrEqual(CelFrame frame, CelValue left, CelValue right) =>
        Order(frame, ">=", left, right, static order => order >= 0);

    public static CelValue Not(CelFrame frame, CelValue value) =>
        value.Kind == CelKind.Bool ? CelValue.Of(value.IsFalse) : CelValue.NoOverload("!", value);

    public static CelValue Negate(CelFrame frame, CelValue value) =>
        value.Kind switch
        {
            CelKind.Int when value.Int != long.MinValue => CelValue.Of(-value.Int),
            CelKind.Int => Overflow,
            CelKind.Double => CelValue.Of(-value.Double),
            CelKind.Duration when value.Nanoseconds != long.MinValue => CelValue.OfNanoseconds(-value.Nanoseconds),
            _ => CelValue.NoOverload("-", value),
        };

    public static CelValue Add(CelFrame frame, CelValue left, CelValue right)
    {
        switch (left.Kind, right.Kind)
        {
            case (CelKind.Timestamp, CelKind.Duration):
                return CelTimestamp.At(left.Instant + right.Nanoseconds);
            case (CelKind.Duration, CelKind.Timestamp):
                return CelTimestamp.At(right.Instant + left.Nanoseconds);
            case var (one, other) when one != other:
                return CelValue.NoOverload("+", left, right);
        }

        switch (left.Kind)
        {
            case CelKind.Int:
                return Whole((Int128)left.Int + right.Int);
            case CelKind.Uint:
                return Natural((Int128)left.Uint + right.Uint);
            case CelKind.Double:
                return CelValue.Of(left.Double + right.Double);
            case CelKind.Duration:
                return Span((Int128)left.Nanoseconds + right.Nanoseconds);
            case CelKind.String:
                return frame.SpendOnText(left.String.Length + right.String.Length)
                    ? CelValue.Of(left.String + right.String)
                    : CelFrame.OutOfSteps;
            case CelKind.Bytes:
                return frame.SpendOnText(left.Bytes.Length + right.Bytes.Length)
                    ? CelValue.Of([.. left.Bytes, .. right.Bytes])
                    : CelFrame.OutOfSteps;
            case CelKind.List:
                return Concatenate(frame, left.List, right.List);
            default:
                return CelValue.NoOverload("+", left, right);
        }
    }

    public static CelValue Subtract(CelFrame frame, CelValue left, CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Whole((Int128)left.Int - right.Int),
            (CelKind.Uint, CelKind.Uint) => Natural((Int128)left.Uint - right.Uint),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.Double - right.Double),
            (CelKind.Duration, CelKind.Duration) => Span((Int128)left.Nanoseconds - right.Nanoseconds),
            (CelKind.Timestamp, CelKind.Duration) => CelTimestamp.At(left.Instant - right.Nanoseconds),
            (CelKind.Timestamp, CelKind.Timestamp) => Span(left.Instant - right.Instant),
            _ => CelValue.NoOverload("-", left, right),
        };

    public static CelValue Multiply(CelFrame frame, CelValue left, CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => Whole((Int128)left.Int * right.Int),
            (CelKind.Uint, CelKind.Uint) => (UInt128)left.Uint * right.Uint is var product && product <= ulong.MaxValue
                ? CelValue.Of((ulong)product)
                : Overflow,
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.Double * right.Double),
            _ => CelValue.NoOverload("*", left, right),
        };

    public static CelValue Divide(CelFrame frame, CelValue left, CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => right.Int == 0 ? ByZero : Whole((Int128)left.Int / right.Int),
            (CelKind.Uint, CelKind.Uint) => right.Uint == 0 ? ByZero : CelValue.Of(left.Uint / right.Uint),
            (CelKind.Double, CelKind.Double) => CelValue.Of(left.Double / right.Double),
            _ => CelValue.NoOverload("/", left, right),
        };

    public static CelValue Remainder(CelFrame frame, CelValue left, CelValue right) =>
        (left.Kind, right.Kind) switch
        {
            (CelKind.Int, CelKind.Int) => right.Int switch
            {
                0 => ByZero,
                -1 => CelValue.Of(0L),
                _ => CelValue.Of(left.Int % right.Int),
            },
            (CelKind.Uint, CelKind.Uint) => right.Uint == 0 ? ByZero : CelValue.Of(left.Uint % right.Uint),
            _ => CelValue.NoOverload("%", left, right),
        };

    public static CelValue In(CelFrame frame, CelValue item, CelValue container)
    {
        if (container.Kind == CelKind.Map)
        {
            var isThere = container.Map.TryGet(frame, item, out _);
            return frame.IsExhausted ? CelFrame.OutOfSteps : CelValue.Of(isThere);
        }

        if (container.Kind != CelKind.List)
        {
            return CelValue.NoOverload("in", item, container);
        }

        var result = CelValue.Of(false);
        for (var index = 0; index < container.List.Count; index++)
        {
            if (!frame.Spend(1))
            {
                return CelFrame.OutOfSteps;
            }

            var element = container.List[index];
            if (element.IsError)
            {
                result = element;
            }
            else if (CelEquality.AreEqual(frame, element, item))
            {
                return CelValue.Of(true);
            }
        }

        return result;
    }

    public static CelValue Index(CelFrame frame, CelValue container, CelValue index)
    {
        if (container.Kind == CelKind.Map)
        {
            return container.Map.TryGet(frame, index, out var value) ? value : CelValue.Fail("no such key");
        }

        if (container.Kind != CelKind.List || !CelEquality.IsNumber(index.Kind))
        {
            return CelValue.NoOverload("[]", container, index);
        }

        var place = index.Kind switch
        {
            CelKind.Int => index.Int,
            CelKind.Uint => index.Uint <= int.MaxValue ? (long)index.Uint : -1,
            _ => double.IsInteger(index.Double) && Math.Abs(index.Double) <= int.MaxValue ? (long)index.Double : -1,
        };
        return place >= 0 && place < container.List.Count
            ? container.List[(int)place]
            : CelValue.Fail("the index is outside the list");
    }

    private static CelValue Order(CelFrame frame, string symbol, CelValue left, CelValue right, Func<int, bool> holds)
    {
        if (left.TryString is { } text && !frame.SpendOnText(text.Length))
        {
            return CelFrame.OutOfSteps;
        }

        var isComparable =
            left.Kind == right.Kind
                ? left.Kind
                    is CelKind.Bool
                        or CelKind.Int
                        or CelKind.Uint
                        or CelKind.Double
                        or CelKind.String
                        or CelKind.Bytes
                        or CelKind.Duration
                        or CelKind.Timestamp
                : CelEquality.IsNumber(left.Kind) && CelEquality.IsNumber(right.Kind);
        return isComparable
            ? CelValue.Of(CelEquality.Compare(left, right) is { } order && holds(order))
            : CelValue.NoOverload(symbol, left, right);
    }

    private static CelValue Concatenate(CelFrame frame, CelList left, CelList right)
    {
        if (!frame.Spend(left.Count + right.Count))
        {
            return CelFrame.OutOfSteps;
        }

        var items = new CelValue[left.Count + right.Count];
        for (var index = 0; index < items.Length; index++)
        {
            items[index] = index < left.Count ? left[index] : right[index - left.Count];
        }

        return CelValue.Of(new CelValueList(items));
    }

    private static CelValue Whole(Int128 value) =>
        value >= long.MinValue && value <= long.MaxValue ? CelValue.Of((long)value) : Overflow;

    private static CelValue Natural(Int128 value) =>
        value >= 0 && value <= ulong.MaxValue ? CelValue.Of((ulong)value) : Overflow;

    private static CelValue Span(Int128 value) =>
        value >= long.MinValue && value <= long.MaxValue ? CelValue.OfNanoseconds((long)value) : Overflow;

    private static readonly CelValue Overflow = CelValue.Fail("the result is out of range");
    private static readonly CelValue ByZero = CelValue.Fail("division by zero");
}
