using System.Globalization;

namespace CredBroker.Cel.Syntax;

/// <content>What an expression is made of at the bottom: literals, names, calls, brackets.</content>
internal sealed partial class CelParser
{
    private CelExpression Primary()
    {
        switch (_token.Kind)
        {
            case CelTokenKind.Int or CelTokenKind.Uint or CelTokenKind.Double:
                return Number(_token.Offset, "");
            case CelTokenKind.Literal:
                var literal = Take();
                return new CelExpression.Literal(literal.Offset, literal.Value);
            case CelTokenKind.Name:
                return Name(Take(), isAbsolute: false);
            case CelTokenKind.Symbol:
                break;
            default:
                throw Unexpected("a value is missing");
        }

        var symbol = _token;
        switch (symbol.Text)
        {
            case "true" or "false":
                Take();
                return new CelExpression.Literal(symbol.Offset, CelValue.Of(symbol.Text == "true"));
            case "null":
                Take();
                return new CelExpression.Literal(symbol.Offset, CelValue.Null);
            case "(":
                Take();
                var inner = Expression();
                Expect(")");
                return inner;
            case "[":
                Take();
                var items = Arguments("]");
                return Build(new CelExpression.ListOf(symbol.Offset, items, DepthOver([.. items])));
            case "{":
                Take();
                return Map(symbol.Offset);
            case "." when TakeIf(CelTokenKind.Name) is { } name:
                return Name(name, isAbsolute: true);
            default:
                throw Unexpected("a value is missing");
        }
    }

    private CelExpression Name(CelToken name, bool isAbsolute)
    {
        if (Reserved.Contains(name.Text))
        {
            throw new CelSyntaxException(name.Offset, $"{name.Text} is a reserved word");
        }

        if (!_token.Is("("))
        {
            return new CelExpression.Name(name.Offset, name.Text, isAbsolute);
        }

        Take();
        var arguments = Arguments(")");
        if (name.Text == "has")
        {
            return arguments is [CelExpression.Select { IsTest: false } tested]
                ? tested with
                {
                    IsTest = true,
                }
                : throw new CelSyntaxException(
                    name.Offset,
                    "has() takes one field, as in has(toolCall.arguments.amount)"
                );
        }

        return Build(
            new CelExpression.Call(name.Offset, name.Text, IsMethod: false, arguments, DepthOver([.. arguments]))
        );
    }

    private List<CelExpression> Arguments(string closing)
    {
        var arguments = new List<CelExpression>();
        while (!_token.Is(closing))
        {
            if (arguments.Count > 0)
            {
                Expect(",");
                // A trailing comma ends a list, not a call.
                if (closing == "]" && _token.Is(closing))
                {
                    break;
                }
            }

            arguments.Add(Expression());
        }

        Take();
        return arguments;
    }

    private CelExpression.MapOf Map(int offset)
    {
        var entries = new List<(CelExpression Key, CelExpression Value)>();
        while (!_token.Is("}"))
        {
            if (entries.Count > 0)
            {
                Expect(",");
                if (_token.Is("}"))
                {
                    break;
                }
            }

            var key = Expression();
            Expect(":");
            entries.Add((key, Expression()));
        }

        Take();
        return Build(
            new CelExpression.MapOf(
                offset,
                entries,
                DepthOver([.. entries.Select(entry => entry.Key), .. entries.Select(entry => entry.Value)])
            )
        );
    }

    private CelExpression.Literal Number(int offset, string sign)
    {
        var number = Take();
        var isHex = number.Text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        switch (number.Kind)
        {
            case CelTokenKind.Double
                when double.TryParse(sign + number.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real)
                    && double.IsFinite(real):
                return new(offset, CelValue.Of(real));
            case CelTokenKind.Uint when Magnitude() is { } magnitude:
                return new(offset, CelValue.Of(magnitude));
            case CelTokenKind.Int
                when Magnitude() is { } magnitude && magnitude <= long.MaxValue + (sign == "-" ? 1UL : 0UL):
                return new(offset, CelValue.Of(sign == "-" ? unchecked(-(long)magnitude) : (long)magnitude));
            default:
                throw new CelSyntaxException(offset, "the number is out of range");
        }

        ulong? Magnitude() =>
            (
                isHex
                    ? ulong.TryParse(
                        number.Text.AsSpan(2),
                        NumberStyles.AllowHexSpecifier,
                        CultureInfo.InvariantCulture,
                        out var value
                    )
                    : ulong.TryParse(number.Text, NumberStyles.None, CultureInfo.InvariantCulture, out value)
            )
                ? value
                : null;
    }
}
