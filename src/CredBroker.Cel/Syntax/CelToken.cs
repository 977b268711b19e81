namespace CredBroker.Cel.Syntax;

/// <summary>A token.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Offset">Where it begins.</param>
/// <param name="Text">A name, or an operator as it is written.</param>
/// <param name="Value">
/// A literal's value; a number's magnitude is not in it, because <c>-9223372036854775808</c> is one literal.
/// </param>
internal readonly record struct CelToken(CelTokenKind Kind, int Offset, string Text, CelValue Value = default)
{
    public bool Is(string symbol) => Kind == CelTokenKind.Symbol && Text == symbol;
}

internal enum CelTokenKind
{
    End,
    Name,
    QuotedName,

    /// <summary>An operator, a bracket, or one of the words <c>in true false null</c>.</summary>
    Symbol,

    /// <summary>Digits of an int; <see cref="CelToken.Text"/> holds them.</summary>
    Int,
    Uint,
    Double,

    /// <summary>A string or bytes; <see cref="CelToken.Value"/> holds it.</summary>
    Literal,
}
