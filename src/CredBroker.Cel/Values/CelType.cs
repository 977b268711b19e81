namespace CredBroker.Cel.Values;

/// <summary>
/// The kinds of values. <see cref="Dyn"/> is a kind of type only: the checker's "not known before it is run".
/// </summary>
internal enum CelKind : byte
{
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Duration,
    List,
    Map,
    Type,
    Error,
    Dyn,
}

/// <summary>A type as the checker deduces it.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Key">A map's key.</param>
/// <param name="Element">A list's element, a map's value.</param>
internal sealed record CelType(CelKind Kind, CelType? Key = null, CelType? Element = null)
{
    public static readonly CelType Dyn = new(CelKind.Dyn);
    public static readonly CelType Null = new(CelKind.Null);
    public static readonly CelType Bool = new(CelKind.Bool);
    public static readonly CelType Int = new(CelKind.Int);
    public static readonly CelType Uint = new(CelKind.Uint);
    public static readonly CelType Double = new(CelKind.Double);
    public static readonly CelType String = new(CelKind.String);
    public static readonly CelType Bytes = new(CelKind.Bytes);
    public static readonly CelType Duration = new(CelKind.Duration);
    public static readonly CelType Type = new(CelKind.Type);

    public static CelType ListOf(CelType element) => new(CelKind.List, Element: element);

    public static CelType MapOf(CelType key, CelType value) => new(CelKind.Map, key, value);

    /// <summary>
    /// Whether a value of one type may stand where the other is wanted, as far as can be known before it is run.
    /// </summary>
    public bool Fits(CelType other)
    {
        if (Kind == CelKind.Dyn || other.Kind == CelKind.Dyn)
        {
            return true;
        }

        return Kind == other.Kind
            && (Key is null || Key.Fits(other.Key!))
            && (Element is null || Element.Fits(other.Element!));
    }

    /// <summary>What a value is that may be of either type.</summary>
    public static CelType Join(CelType left, CelType right) =>
        (left.Kind, right.Kind) switch
        {
            _ when left == right => left,
            (CelKind.List, CelKind.List) => ListOf(Join(left.Element!, right.Element!)),
            (CelKind.Map, CelKind.Map) => MapOf(Join(left.Key!, right.Key!), Join(left.Element!, right.Element!)),
            _ => Dyn,
        };

    /// <summary>As CEL writes it.</summary>
    public override string ToString() =>
        Kind switch
        {
            CelKind.List => $"list({Element})",
            CelKind.Map => $"map({Key}, {Element})",
            _ => NameOf(Kind),
        };

    /// <summary>The name by which CEL's <c>type()</c> knows values of this kind.</summary>
    public static string NameOf(CelKind kind) =>
        kind switch
        {
            CelKind.Null => "null_type",
            CelKind.Bool => "bool",
            CelKind.Int => "int",
            CelKind.Uint => "uint",
            CelKind.Double => "double",
            CelKind.String => "string",
            CelKind.Bytes => "bytes",
            CelKind.Duration => "google.protobuf.Duration",
            CelKind.List => "list",
            CelKind.Map => "map",
            CelKind.Type => "type",
            CelKind.Error => "error",
            _ => "dyn",
        };
}
