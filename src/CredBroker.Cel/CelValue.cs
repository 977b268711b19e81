using System.Runtime.CompilerServices;
using System.Text.Json;
using CredBroker.Cel.Values;

namespace CredBroker.Cel;

/// <summary>
/// A value: two machine words, so that deciding allocates nothing for scalars. An error is a value too: CEL's
/// <c>&amp;&amp;</c> and <c>||</c> absorb it, and an exception per failed rule would be a gift to whoever wants to load
/// the broker.
/// </summary>
public readonly struct CelValue
{
    // null for null, a string for a string, a CelPayload for the rest; scalars carry their bits beside a payload shared
    // by their kind.
    private readonly object? _payload;
    private readonly long _bits;

    private CelValue(object? payload, long bits = 0)
    {
        _payload = payload;
        _bits = bits;
    }

    /// <summary>Null.</summary>
    public static CelValue Null => default;

    /// <summary>True or false.</summary>
    public static CelValue Of(bool value) => new(CelPayload.Bool, value ? 1 : 0);

    /// <summary>An int.</summary>
    public static CelValue Of(long value) => new(CelPayload.Int, value);

    /// <summary>A uint.</summary>
    public static CelValue Of(ulong value) => new(CelPayload.Uint, unchecked((long)value));

    /// <summary>A double.</summary>
    public static CelValue Of(double value) => new(CelPayload.Double, BitConverter.DoubleToInt64Bits(value));

    /// <summary>A string.</summary>
    public static CelValue Of(string value) => new(value);

    /// <summary>Bytes.</summary>
    public static CelValue Of(byte[] value) => new(new CelBytes(value));

    /// <summary>A duration; one that nanoseconds cannot hold in 64 bits (292 years) becomes the longest.</summary>
    public static CelValue Of(TimeSpan value) => OfNanoseconds(CelDuration.FromTimeSpan(value));

    /// <summary>A timestamp.</summary>
    public static CelValue Of(DateTimeOffset value) => OfInstant(CelTimestamp.From(value));

    /// <summary>A list of strings, seen in place.</summary>
    public static CelValue OfTexts(IReadOnlyList<string> value) => new(new CelTextList(value));

    /// <summary>A map of strings by string, seen in place.</summary>
    public static CelValue OfTexts(IReadOnlyDictionary<string, string> value) => new(new CelTextMap(value));

    /// <summary>
    /// A map of names and JSON values, seen in place and converted where it is touched: an integer that fits is an int,
    /// every other number a double.
    /// </summary>
    public static CelValue OfMembers(IReadOnlyDictionary<string, JsonElement> value) => new(new CelMemberMap(value));

    /// <summary>A JSON object as a map, as <see cref="OfMembers"/> sees it.</summary>
    public static CelValue OfObject(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object
            ? new(new CelJsonMap(value))
            : throw new ArgumentException("It is no JSON object.", nameof(value));

    /// <summary>An error. <c>&amp;&amp;</c> and <c>||</c> absorb it where the other side decides.</summary>
    public static CelValue Fail(string message) => new(new CelError(message));

    internal static CelValue Of(CelList value) => new(value);

    internal static CelValue Of(CelMap value) => new(value);

    /// <summary>A duration, in nanoseconds.</summary>
    internal static CelValue OfNanoseconds(long value) => new(CelPayload.Duration, value);

    /// <summary>A timestamp, in nanoseconds from the first one there is.</summary>
    internal static CelValue OfInstant(Int128 value) => new(new CelInstant(value));

    internal static CelValue OfType(CelKind kind) => new(CelPayload.Type, (long)kind);

    /// <summary>What CEL calls "no matching overload": the operation is not defined for these values.</summary>
    internal static CelValue NoOverload(string operation, CelValue value) =>
        Fail($"{operation} does not take a value of type {CelType.NameOf(value.Kind)}");

    /// <inheritdoc cref="NoOverload(string, CelValue)"/>
    internal static CelValue NoOverload(string operation, CelValue left, CelValue right) =>
        Fail($"{operation} does not take values of types {CelType.NameOf(left.Kind)} and {CelType.NameOf(right.Kind)}");

    /// <summary>What it is; never <see cref="CelKind.Dyn"/>.</summary>
    public CelKind Kind
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get =>
            _payload switch
            {
                string => CelKind.String,
                null => CelKind.Null,
                _ => Unsafe.As<CelPayload>(_payload).Kind,
            };
    }

    /// <summary>Whether it is an error.</summary>
    public bool IsError => _payload is CelError;

    /// <summary>Whether it is the truth value true. False for an error, and for every other kind.</summary>
    public bool IsTrue => ReferenceEquals(_payload, CelPayload.Bool) && _bits != 0;

    /// <summary>Whether it is the truth value false. Not the opposite of <see cref="IsTrue"/>.</summary>
    public bool IsFalse => ReferenceEquals(_payload, CelPayload.Bool) && _bits == 0;

    /// <summary>The text of a string; null for every other kind.</summary>
    public string? TryString => _payload as string;

    /// <summary>The number of an int; null for every other kind.</summary>
    public long? TryInt => ReferenceEquals(_payload, CelPayload.Int) ? _bits : null;

    /// <summary>The number of a uint; null for every other kind.</summary>
    public ulong? TryUint => ReferenceEquals(_payload, CelPayload.Uint) ? Uint : null;

    /// <summary>The number of a double; null for every other kind.</summary>
    public double? TryDouble => ReferenceEquals(_payload, CelPayload.Double) ? Double : null;

    /// <summary>What an error says; null for every other kind.</summary>
    public string? TryError => (_payload as CelError)?.Message;

    // The rest is for who has looked at the kind: another kind's bits come out as they are.
    internal long Int => _bits;

    internal ulong Uint => unchecked((ulong)_bits);

    internal double Double => BitConverter.Int64BitsToDouble(_bits);

    internal long Nanoseconds => _bits;

    internal Int128 Instant => ((CelInstant)_payload!).Nanoseconds;

    internal CelKind TypeKind => (CelKind)_bits;

    internal string String => (string)_payload!;

    internal byte[] Bytes => ((CelBytes)_payload!).Value;

    internal CelList List => (CelList)_payload!;

    internal CelMap Map => (CelMap)_payload!;

    internal string Error => ((CelError)_payload!).Message;
}
