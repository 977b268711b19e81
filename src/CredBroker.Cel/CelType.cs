namespace CredBroker.Cel;

/// <summary>A type as the checker deduces it.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Key">A map's key.</param>
/// <param name="Element">A list's element, a map's value.</param>
public sealed record CelType(CelKind Kind, CelType? Key = null, CelType? Element = null)
{
    /// <summary>A type that is not known before it is run: everything fits it.</summary>
    public static readonly CelType Dyn = new(CelKind.Dyn);

    /// <summary>The type of values of the kind <see cref="CelKind.Null"/>.</summary>
    public static readonly CelType Null = new(CelKind.Null);

    /// <summary>The type of values of the kind <see cref="CelKind.Bool"/>.</summary>
    public static readonly CelType Bool = new(CelKind.Bool);

    /// <summary>The type of values of the kind <see cref="CelKind.Int"/>.</summary>
    public static readonly CelType Int = new(CelKind.Int);

    /// <summary>The type of values of the kind <see cref="CelKind.Uint"/>.</summary>
    public static readonly CelType Uint = new(CelKind.Uint);

    /// <summary>The type of values of the kind <see cref="CelKind.Double"/>.</summary>
    public static readonly CelType Double = new(CelKind.Double);

    /// <summary>The type of values of the kind <see cref="CelKind.String"/>.</summary>
    public static readonly CelType String = new(CelKind.String);

    /// <summary>The type of values of the kind <see cref="CelKind.Bytes"/>.</summary>
    public static readonly CelType Bytes = new(CelKind.Bytes);

    /// <summary>The type of values of the kind <see cref="CelKind.Duration"/>.</summary>
    public static readonly CelType Duration = new(CelKind.Duration);

    /// <summary>The type of values of the kind <see cref="CelKind.Timestamp"/>.</summary>
    public static readonly CelType Timestamp = new(CelKind.Timestamp);

    /// <summary>The type of values of the kind <see cref="CelKind.Type"/>.</summary>
    public static readonly CelType Type = new(CelKind.Type);

    /// <summary>A list of such elements.</summary>
    public static CelType ListOf(CelType element) => new(CelKind.List, Element: element);

    /// <summary>A map of such keys and values.</summary>
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
    internal static CelType Join(CelType left, CelType right) =>
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
            CelKind.Timestamp => "google.protobuf.Timestamp",
            CelKind.List => "list",
            CelKind.Map => "map",
            CelKind.Type => "type",
            CelKind.Error => "error",
            _ => "dyn",
        };
}
