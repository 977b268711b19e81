namespace CredBroker.Cel.Syntax;

/// <summary>The macros that iterate.</summary>
public enum CelMacro
{
    /// <summary><c>all</c>: the body holds for every element.</summary>
    All,

    /// <summary><c>exists</c>: it holds for at least one.</summary>
    Exists,

    /// <summary><c>exists_one</c>: it holds for exactly one.</summary>
    ExistsOne,

    /// <summary><c>filter</c>: the elements for which it holds.</summary>
    Filter,

    /// <summary><c>map</c>: what it makes of each element.</summary>
    Map,
}
