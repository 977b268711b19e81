namespace CredBroker.Cel;

/// <summary>
/// The kinds of values. <see cref="Dyn"/> is a kind of type only: the checker's "not known before it is run".
/// </summary>
public enum CelKind : byte
{
    /// <summary>Null.</summary>
    Null,

    /// <summary>True or false.</summary>
    Bool,

    /// <summary>A signed integer of 64 bits.</summary>
    Int,

    /// <summary>An unsigned integer of 64 bits.</summary>
    Uint,

    /// <summary>A floating-point number of 64 bits.</summary>
    Double,

    /// <summary>Text.</summary>
    String,

    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>A span of time, in nanoseconds.</summary>
    Duration,

    /// <summary>A moment, to the nanosecond.</summary>
    Timestamp,

    /// <summary>A list.</summary>
    List,

    /// <summary>A map.</summary>
    Map,

    /// <summary>A type, such as <c>type(1)</c> gives.</summary>
    Type,

    /// <summary>An error: the operation failed.</summary>
    Error,

    /// <summary>Not known before it is run; no value is of this kind.</summary>
    Dyn,
}
