namespace CredBroker.Cel.Syntax;

/// <summary>
/// The macros that look like methods: <c>list.all(x, …)</c>, <c>exists</c>, <c>exists_one</c>, <c>filter</c>,
/// <c>map</c>.
/// </summary>
internal static class CelMacros
{
    /// <summary>
    /// Whether the call is a macro. Throws <see cref="CelSyntaxException"/> where its variable is no name.
    /// </summary>
    public static bool TryExpand(
        CelToken name,
        CelExpression range,
        List<CelExpression> arguments,
        out CelExpression.Macro macro
    )
    {
        CelMacro? kind = (name.Text, arguments.Count) switch
        {
            ("all", 2) => CelMacro.All,
            ("exists", 2) => CelMacro.Exists,
            ("exists_one" or "existsOne", 2) => CelMacro.ExistsOne,
            ("filter", 2) => CelMacro.Filter,
            ("map", 2 or 3) => CelMacro.Map,
            _ => null,
        };
        if (kind is not { } found)
        {
            macro = null!;
            return false;
        }

        if (arguments[0] is not CelExpression.Name { Absolute: false } variable)
        {
            throw new CelSyntaxException(
                arguments[0].Offset,
                $"{name.Text}() takes a variable's name first, as in {name.Text}(x, …)"
            );
        }

        var depth = 1 + Math.Max(range.Depth, arguments.Max(argument => argument.Depth));
        macro = new(
            name.Offset,
            found,
            range,
            variable.Text,
            arguments.Count == 3 ? arguments[1] : null,
            arguments[^1],
            depth
        );
        return true;
    }
}
