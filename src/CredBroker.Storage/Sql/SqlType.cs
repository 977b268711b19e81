namespace CredBroker.Storage.Sql;

/// <summary>The types that columns have.</summary>
internal enum SqlType
{
    /// <summary>A whole number of 64 bits; times are numbers too.</summary>
    Number,

    /// <summary>Text.</summary>
    Text,

    /// <summary>Text, given in UTF-8.</summary>
    Utf8Text,

    /// <summary>Bytes.</summary>
    Bytes,
}
