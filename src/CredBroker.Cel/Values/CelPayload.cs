namespace CredBroker.Cel.Values;

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

internal sealed class CelInstant(Int128 nanoseconds) : CelPayload(CelKind.Timestamp)
{
    public Int128 Nanoseconds => nanoseconds;
}

internal sealed class CelError(string message) : CelPayload(CelKind.Error)
{
    public string Message { get; } = message;
}
