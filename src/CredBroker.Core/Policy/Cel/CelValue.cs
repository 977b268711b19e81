using System.Runtime.CompilerServices;

namespace CredBroker.Core.Policy.Cel;

/// <summary>
/// A value: two machine words, so that deciding allocates nothing for scalars. An error is a value too: CEL's
/// <c>&amp;&amp;</c> and <c>||</c> absorb it, and an exception per failed rule would be a gift to whoever wants to load
/// the broker.
/// </summary>
internal readonly struct CelValue
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

    public static CelValue Null => default;

    public static CelValue Of(bool value) => new(CelPayload.Bool, value ? 1 : 0);

    public static CelValue Of(long value) => new(CelPayload.Int, value);

    public static CelValue Of(ulong value) => new(CelPayload.Uint, unchecked((long)value));

    public static CelValue Of(double value) => new(CelPayload.Double, BitConverter.DoubleToInt64Bits(value));

    public static CelValue Of(string value) => new(value);

    public static CelValue Of(byte[] value) => new(new CelBytes(value));

    public static CelValue Of(CelList value) => new(value);

    public static CelValue Of(CelMap value) => new(value);

    /// <summary>A duration, in nanoseconds.</summary>
    public static CelValue OfNanoseconds(long value) => new(CelPayload.Duration, value);

    public static CelValue OfType(CelKind kind) => new(CelPayload.Type, (long)kind);

    public static CelValue Fail(string message) => new(new CelError(message));

    /// <summary>What CEL calls "no matching overload": the operation is not defined for these values.</summary>
    public static CelValue NoOverload(string operation, CelValue value) =>
        Fail($"{operation} does not take a value of type {CelType.NameOf(value.Kind)}");

    /// <inheritdoc cref="NoOverload(string, CelValue)"/>
    public static CelValue NoOverload(string operation, CelValue left, CelValue right) =>
        Fail($"{operation} does not take values of types {CelType.NameOf(left.Kind)} and {CelType.NameOf(right.Kind)}");

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

    public bool IsError => _payload is CelError;

    public bool IsTrue => ReferenceEquals(_payload, CelPayload.Bool) && _bits != 0;

    public bool IsFalse => ReferenceEquals(_payload, CelPayload.Bool) && _bits == 0;

    public long Int => _bits;

    public ulong Uint => unchecked((ulong)_bits);

    public double Double => BitConverter.Int64BitsToDouble(_bits);

    public long Nanoseconds => _bits;

    public CelKind TypeKind => (CelKind)_bits;

    public string? TryString => _payload as string;

    public string String => (string)_payload!;

    public byte[] Bytes => ((CelBytes)_payload!).Value;

    public CelList List => (CelList)_payload!;

    public CelMap Map => (CelMap)_payload!;

    public string Error => ((CelError)_payload!).Message;
}

/// <summary>
/// What a value that is not a string or null points to. Its kind is a field, because reading it is the hottest thing an
/// evaluation does.
/// </summary>
internal class CelPayload(CelKind kind)
{
    public static readonly CelPayload Bool = new(CelKind.Bool);
    public static readonly CelPayload Int = new(CelKind.Int);
    public static readonly CelPayload Uint = new(CelKind.Uint);
    public static readonly CelPayload Double = new(CelKind.Double);
    public static readonly CelPayload Duration = new(CelKind.Duration);
    public static readonly CelPayload Type = new(CelKind.Type);

    public readonly CelKind Kind = kind;
}

internal sealed class CelBytes(byte[] value) : CelPayload(CelKind.Bytes)
{
    public byte[] Value { get; } = value;
}

internal sealed class CelError(string message) : CelPayload(CelKind.Error)
{
    public string Message { get; } = message;
}
