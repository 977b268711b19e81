using CredBroker.Cel.Syntax;

namespace CredBroker.Cel.Nodes;

/// <summary>Reads <c>a.b.c</c> back from names and fields.</summary>
internal static class CelPath
{
    /// <summary>Whether the expression is nothing but names joined by dots.</summary>
    public static bool TryRead(CelExpression expression, out string path, out bool isAbsolute)
    {
        switch (expression)
        {
            case CelExpression.Name name:
                (path, isAbsolute) = (name.Text, name.Absolute);
                return true;
            case CelExpression.Select { Operand: { } operand } select
                when TryRead(operand, out var prefix, out isAbsolute):
                path = $"{prefix}.{select.Field}";
                return true;
            default:
                (path, isAbsolute) = ("", false);
                return false;
        }
    }

    /// <inheritdoc cref="TryRead"/>
    public static string? Of(CelExpression expression) => TryRead(expression, out var path, out _) ? path : null;
}
