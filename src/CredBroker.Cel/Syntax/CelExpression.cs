namespace CredBroker.Cel.Syntax;

/// <summary>A condition as it was written.</summary>
public abstract record CelExpression
{
    private CelExpression(int offset, int depth) => (Offset, Depth) = (offset, depth);

    /// <summary>Where it stands in the source, from 0.</summary>
    public int Offset { get; }

    /// <summary>How deep it nests; 1 for a leaf.</summary>
    public int Depth { get; }

    /// <summary><c>a.b.c</c>, where it is nothing but names joined by dots; otherwise null.</summary>
    public string? Path => TryReadPath(out var path, out _) ? path : null;

    /// <summary>What it is made of.</summary>
    public IEnumerable<CelExpression> Children =>
        this switch
        {
            Select select => [select.Operand],
            Call call => call.Arguments,
            Logic logic => logic.Operands,
            Conditional conditional => [conditional.Test, conditional.Then, conditional.Else],
            ListOf list => list.Items,
            MapOf map => map.Entries.SelectMany(entry => new[] { entry.Key, entry.Value }),
            Macro macro => macro.Filter is null ? [macro.Range, macro.Body] : [macro.Range, macro.Filter, macro.Body],
            _ => [],
        };

    /// <summary>It and everything in it.</summary>
    public IEnumerable<CelExpression> All() => Children.SelectMany(child => child.All()).Prepend(this);

    /// <summary>Whether it is nothing but names joined by dots, and begins with one (<c>.a.b</c>).</summary>
    internal bool TryReadPath(out string path, out bool isAbsolute)
    {
        switch (this)
        {
            case Name name:
                (path, isAbsolute) = (name.Text, name.Absolute);
                return true;
            case Select select when select.Operand.TryReadPath(out var prefix, out isAbsolute):
                path = $"{prefix}.{select.Field}";
                return true;
            default:
                (path, isAbsolute) = ("", false);
                return false;
        }
    }

    /// <summary>A value that is written out.</summary>
    public sealed record Literal(int Offset, CelValue Value) : CelExpression(Offset, 1);

    /// <summary>A name. A leading dot makes it <paramref name="Absolute"/>: no macro's variable hides it.</summary>
    public sealed record Name(int Offset, string Text, bool Absolute) : CelExpression(Offset, 1);

    /// <summary><c>operand.field</c>, or the test of <c>has()</c> for it.</summary>
    public sealed record Select(int Offset, CelExpression Operand, string Field, bool IsTest, int Depth)
        : CelExpression(Offset, Depth);

    /// <summary>
    /// A function (<c>size(x)</c>), a method (<c>x.size()</c>) or an operator (<c>_+_</c>). A method's target is its
    /// first argument.
    /// </summary>
    public sealed record Call(
        int Offset,
        string Function,
        bool IsMethod,
        IReadOnlyList<CelExpression> Arguments,
        int Depth
    ) : CelExpression(Offset, Depth);

    /// <summary>
    /// A chain of <c>&amp;&amp;</c> or <c>||</c>, flattened: a long list of alternatives nests no deeper than a short
    /// one.
    /// </summary>
    public sealed record Logic(int Offset, bool IsAnd, IReadOnlyList<CelExpression> Operands, int Depth)
        : CelExpression(Offset, Depth);

    /// <summary><c>test ? then : else</c>.</summary>
    public sealed record Conditional(int Offset, CelExpression Test, CelExpression Then, CelExpression Else, int Depth)
        : CelExpression(Offset, Depth);

    /// <summary><c>[a, b]</c>.</summary>
    public sealed record ListOf(int Offset, IReadOnlyList<CelExpression> Items, int Depth)
        : CelExpression(Offset, Depth);

    /// <summary><c>{key: value}</c>.</summary>
    public sealed record MapOf(int Offset, IReadOnlyList<(CelExpression Key, CelExpression Value)> Entries, int Depth)
        : CelExpression(Offset, Depth);

    /// <summary>
    /// A macro over a list or a map's keys. <c>map</c> with three arguments has a <paramref name="Filter"/>.
    /// </summary>
    public sealed record Macro(
        int Offset,
        CelMacro Kind,
        CelExpression Range,
        string Variable,
        CelExpression? Filter,
        CelExpression Body,
        int Depth
    ) : CelExpression(Offset, Depth);
}
