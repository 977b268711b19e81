using CredBroker.Cel.Values;

namespace CredBroker.Cel.Nodes;

/// <summary>A function or operator: how it is called, what it takes, what it gives.</summary>
/// <param name="Name">Its name; an operator's is <c>_+_</c>.</param>
/// <param name="IsMethod">Whether it is written <c>x.name()</c>.</param>
/// <param name="Overloads">What it takes and gives; run-time dispatch is the function's own.</param>
internal sealed record CelFunction(string Name, bool IsMethod, (CelType[] Takes, CelType Gives)[] Overloads)
{
    public Func<CelFrame, CelValue, CelValue>? Unary { get; init; }

    public Func<CelFrame, CelValue, CelValue, CelValue>? Binary { get; init; }

    public int Arity => Overloads[0].Takes.Length;
}

/// <summary>
/// Every function and operator there is, less those whose types depend on each other (<c>== != in [] + ?:</c> on
/// lists), which the binder knows.
/// </summary>
internal static class CelFunctions
{
    private static readonly CelType AnyList = CelType.ListOf(CelType.Dyn);
    private static readonly CelType AnyMap = CelType.MapOf(CelType.Dyn, CelType.Dyn);
    private static readonly CelType[] Numbers = [CelType.Int, CelType.Uint, CelType.Double];

    private static readonly Dictionary<string, CelFunction> ByKey = All()
        .ToDictionary(function => Key(function.Name, function.IsMethod, function.Arity), StringComparer.Ordinal);

    public static CelFunction? Find(string name, bool isMethod, int arity) =>
        ByKey.GetValueOrDefault(Key(name, isMethod, arity));

    /// <summary>Names of functions or methods, for a suggestion.</summary>
    public static IEnumerable<string> Names(bool isMethod) =>
        ByKey
            .Values.Where(function => function.IsMethod == isMethod && char.IsAsciiLetter(function.Name[0]))
            .Select(function => function.Name)
            .Concat(isMethod ? ["matches", "all", "exists", "exists_one", "filter", "map"] : ["matches", "has"]);

    private static string Key(string name, bool isMethod, int arity) => $"{(isMethod ? "." : "")}{name}/{arity}";

    private static IEnumerable<CelFunction> All()
    {
        CelType[] sized = [CelType.String, CelType.Bytes, AnyList, AnyMap];
        yield return Unary("size", CelText.Size, [.. sized.Select(type => (type, CelType.Int))]);
        yield return Unary("size", CelText.Size, [.. sized.Select(type => (type, CelType.Int))]) with
        {
            IsMethod = true,
        };
        yield return Unary("type", (_, value) => CelValue.OfType(value.Kind), (CelType.Dyn, CelType.Type));
        yield return Unary("dyn", (_, value) => value, (CelType.Dyn, CelType.Dyn));
        yield return Unary(
            "int",
            CelConversions.ToInt,
            [.. Numbers.Append(CelType.String).Append(CelType.Timestamp).Select(type => (type, CelType.Int))]
        );
        yield return Unary(
            "uint",
            CelConversions.ToUint,
            [.. Numbers.Append(CelType.String).Select(type => (type, CelType.Uint))]
        );
        yield return Unary(
            "double",
            CelConversions.ToDouble,
            [.. Numbers.Append(CelType.String).Select(type => (type, CelType.Double))]
        );
        yield return Unary("bool", CelConversions.ToBool, (CelType.Bool, CelType.Bool), (CelType.String, CelType.Bool));
        yield return Unary(
            "bytes",
            CelConversions.ToBytes,
            (CelType.Bytes, CelType.Bytes),
            (CelType.String, CelType.Bytes)
        );
        yield return Unary(
            "duration",
            CelConversions.ToDuration,
            (CelType.Duration, CelType.Duration),
            (CelType.String, CelType.Duration)
        );
        yield return Unary(
            "timestamp",
            CelConversions.ToTimestamp,
            (CelType.Timestamp, CelType.Timestamp),
            (CelType.Int, CelType.Timestamp),
            (CelType.String, CelType.Timestamp)
        );
        CelType[] printable =
        [
            .. Numbers,
            CelType.Bool,
            CelType.String,
            CelType.Bytes,
            CelType.Duration,
            CelType.Timestamp,
        ];
        yield return Unary("string", CelConversions.ToText, [.. printable.Select(type => (type, CelType.String))]);

        // Months and days count from 0, but for getDate.
        (string Name, Func<DateTime, long> OfTimestamp, Func<CelFrame, CelValue, CelValue>? OfDuration)[] parts =
        [
            ("getFullYear", static time => time.Year, null),
            ("getMonth", static time => time.Month - 1, null),
            ("getDate", static time => time.Day, null),
            ("getDayOfMonth", static time => time.Day - 1, null),
            ("getDayOfWeek", static time => (long)time.DayOfWeek, null),
            ("getDayOfYear", static time => time.DayOfYear - 1, null),
            ("getHours", static time => time.Hour, CelDuration.Hours),
            ("getMinutes", static time => time.Minute, CelDuration.Minutes),
            ("getSeconds", static time => time.Second, CelDuration.Seconds),
            ("getMilliseconds", static time => time.Millisecond, CelDuration.Milliseconds),
        ];
        foreach (var (name, ofTimestamp, ofDuration) in parts)
        {
            yield return PartOf(name, ofTimestamp, ofDuration);
            yield return new(name, IsMethod: true, [([CelType.Timestamp, CelType.String], CelType.Int)])
            {
                Binary = (_, value, zone) => CelTimestamp.Part(value, zone, $"{name}()", ofTimestamp),
            };
        }

        yield return TextTest("startsWith", CelText.StartsWith);
        yield return TextTest("endsWith", CelText.EndsWith);
        yield return TextTest("contains", CelText.Contains);

        yield return Unary("!_", CelOperators.Not, (CelType.Bool, CelType.Bool));
        yield return Unary(
            "-_",
            CelOperators.Negate,
            (CelType.Int, CelType.Int),
            (CelType.Double, CelType.Double),
            (CelType.Duration, CelType.Duration)
        );
        CelType[] summed = [.. Numbers, CelType.String, CelType.Bytes, CelType.Duration];
        yield return Arithmetic(
            "_+_",
            CelOperators.Add,
            summed,
            ([CelType.Timestamp, CelType.Duration], CelType.Timestamp),
            ([CelType.Duration, CelType.Timestamp], CelType.Timestamp)
        );
        yield return Arithmetic(
            "_-_",
            CelOperators.Subtract,
            [.. Numbers, CelType.Duration],
            ([CelType.Timestamp, CelType.Duration], CelType.Timestamp),
            ([CelType.Timestamp, CelType.Timestamp], CelType.Duration)
        );
        yield return Arithmetic("_*_", CelOperators.Multiply, Numbers);
        yield return Arithmetic("_/_", CelOperators.Divide, Numbers);
        yield return Arithmetic("_%_", CelOperators.Remainder, [CelType.Int, CelType.Uint]);
        yield return Ordering("_<_", CelOperators.Less);
        yield return Ordering("_<=_", CelOperators.LessOrEqual);
        yield return Ordering("_>_", CelOperators.Greater);
        yield return Ordering("_>=_", CelOperators.GreaterOrEqual);
    }

    private static CelFunction Unary(
        string name,
        Func<CelFrame, CelValue, CelValue> apply,
        params (CelType Takes, CelType Gives)[] overloads
    ) =>
        new(name, IsMethod: false, [.. overloads.Select(overload => (new[] { overload.Takes }, overload.Gives))])
        {
            Unary = apply,
        };

    private static CelFunction PartOf(
        string name,
        Func<DateTime, long> ofTimestamp,
        Func<CelFrame, CelValue, CelValue>? ofDuration
    ) =>
        new(
            name,
            IsMethod: true,
            ofDuration is null
                ? [([CelType.Timestamp], CelType.Int)]
                : [([CelType.Timestamp], CelType.Int), ([CelType.Duration], CelType.Int)]
        )
        {
            Unary = (frame, value) =>
                value.Kind == CelKind.Duration && ofDuration is not null
                    ? ofDuration(frame, value)
                    : CelTimestamp.Part(value, $"{name}()", ofTimestamp),
        };

    private static CelFunction TextTest(string name, Func<CelFrame, CelValue, CelValue, CelValue> apply) =>
        new(name, IsMethod: true, [([CelType.String, CelType.String], CelType.Bool)]) { Binary = apply };

    private static CelFunction Arithmetic(
        string name,
        Func<CelFrame, CelValue, CelValue, CelValue> apply,
        CelType[] types,
        params (CelType[] Takes, CelType Gives)[] mixed
    ) =>
        new(name, IsMethod: false, [.. types.Select(type => (new[] { type, type }, type)), .. mixed])
        {
            Binary = apply,
        };

    private static CelFunction Ordering(string name, Func<CelFrame, CelValue, CelValue, CelValue> apply)
    {
        CelType[] ordered = [CelType.Bool, CelType.String, CelType.Bytes, CelType.Duration, CelType.Timestamp];
        var numeric = Numbers.SelectMany(left => Numbers.Select(right => (new[] { left, right }, CelType.Bool)));
        return new(name, IsMethod: false, [.. numeric, .. ordered.Select(type => (new[] { type, type }, CelType.Bool))])
        {
            Binary = apply,
        };
    }
}
