namespace CredBroker.Storage.Sql;

/// <summary>
/// What a statement's parameter is set to. It knows its type even where it is null, and is on the stack: the writer
/// sets dozens for every change.
/// </summary>
internal readonly struct SqlValue
{
    private SqlValue(SqlType type, object? reference, long number, bool isNull) =>
        (Type, Reference, Number, IsNull) = (type, reference, number, isNull);

    public SqlType Type { get; }

    public bool IsNull { get; }

    /// <summary>The value of a number.</summary>
    public long Number { get; }

    /// <summary>The value of a text.</summary>
    public string Text => (string)Reference!;

    /// <summary>The value of bytes, and of text that is in UTF-8 already.</summary>
    public byte[] Bytes => (byte[])Reference!;

    private object? Reference { get; }

    public static implicit operator SqlValue(string? text) => new(SqlType.Text, text, 0, text is null);

    public static implicit operator SqlValue(long number) => new(SqlType.Number, null, number, false);

    public static implicit operator SqlValue(long? number) =>
        new(SqlType.Number, null, number.GetValueOrDefault(), number is null);

    public static implicit operator SqlValue(byte[] bytes) => new(SqlType.Bytes, bytes, 0, false);

    /// <summary>Text that is in UTF-8 already.</summary>
    public static SqlValue Utf8(byte[] text) => new(SqlType.Utf8Text, text, 0, false);
}
