namespace CredBroker.Cel.Syntax;

/// <summary>
/// Recursive descent over CEL's grammar, less messages and optionals. Each call that can recurse counts its depth, and
/// so does each expression that is built: neither this parser nor what walks its result can exhaust the stack. Throws
/// <see cref="CelSyntaxException"/>.
/// </summary>
internal sealed partial class CelParser
{
    private static readonly HashSet<string> Reserved =
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];

    private static readonly string[][] BinaryLevels =
    [
        ["==", "!=", "<", "<=", ">", ">=", "in"],
        ["+", "-"],
        ["*", "/", "%"],
    ];

    private readonly CelLexer _lexer;
    private CelToken _token;
    private int _nesting;

    private CelParser(string source)
    {
        _lexer = new(source);
        _token = _lexer.Next();
    }

    public static CelExpression Parse(string source)
    {
        if (source.Length > CelLimits.SourceLength)
        {
            throw new CelSyntaxException(
                0,
                $"a condition has at most {CelLimits.SourceLength:N0} characters, this one has {source.Length:N0}"
            );
        }

        var parser = new CelParser(source);
        var expression = parser.Expression();
        return parser._token.Kind == CelTokenKind.End
            ? expression
            : throw parser.Unexpected("the condition should end here");
    }

    private CelExpression Expression()
    {
        if (++_nesting > CelLimits.Depth)
        {
            throw TooDeep(_token.Offset);
        }

        var test = Logic("||", () => Logic("&&", () => Binary(0)));
        if (_token.Is("?"))
        {
            var offset = Take().Offset;
            var then = Logic("||", () => Logic("&&", () => Binary(0)));
            Expect(":");
            var otherwise = Expression();
            test = Build(
                new CelExpression.Conditional(offset, test, then, otherwise, DepthOver(test, then, otherwise))
            );
        }

        _nesting--;
        return test;
    }

    private CelExpression Logic(string symbol, Func<CelExpression> operand)
    {
        var first = operand();
        if (!_token.Is(symbol))
        {
            return first;
        }

        var offset = _token.Offset;
        var isAnd = symbol == "&&";
        var operands = new List<CelExpression>();
        AddFlat(first);
        while (_token.Is(symbol))
        {
            Take();
            AddFlat(operand());
        }

        return Build(new CelExpression.Logic(offset, isAnd, operands, DepthOver([.. operands])));

        void AddFlat(CelExpression expression)
        {
            if (expression is CelExpression.Logic inner && inner.IsAnd == isAnd)
            {
                operands.AddRange(inner.Operands);
            }
            else
            {
                operands.Add(expression);
            }
        }
    }

    private CelExpression Binary(int level)
    {
        if (level == BinaryLevels.Length)
        {
            return Unary();
        }

        var left = Binary(level + 1);
        while (_token.Kind == CelTokenKind.Symbol && BinaryLevels[level].Contains(_token.Text))
        {
            var symbol = Take();
            var right = Binary(level + 1);
            var function = symbol.Text == "in" ? "@in" : $"_{symbol.Text}_";
            left = Build(
                new CelExpression.Call(symbol.Offset, function, IsMethod: false, [left, right], DepthOver(left, right))
            );
        }

        return left;
    }

    private CelExpression Unary()
    {
        if (!_token.Is("!") && !_token.Is("-"))
        {
            return Member();
        }

        var symbol = Take();
        if (symbol.Text == "-" && _token.Kind is CelTokenKind.Int or CelTokenKind.Double)
        {
            return MemberTail(Number(symbol.Offset, "-"));
        }

        if (++_nesting > CelLimits.Depth)
        {
            throw TooDeep(symbol.Offset);
        }

        var operand = Unary();
        _nesting--;
        return Build(
            new CelExpression.Call(symbol.Offset, $"{symbol.Text}_", IsMethod: false, [operand], DepthOver(operand))
        );
    }

    private CelExpression Member() => MemberTail(Primary());

    private CelExpression MemberTail(CelExpression operand)
    {
        while (true)
        {
            if (_token.Is("."))
            {
                Take();
                operand = Field(operand);
            }
            else if (_token.Is("["))
            {
                var offset = Take().Offset;
                var index = Expression();
                Expect("]");
                operand = Build(
                    new CelExpression.Call(offset, "_[_]", IsMethod: false, [operand, index], DepthOver(operand, index))
                );
            }
            else if (_token.Is("{"))
            {
                throw new CelSyntaxException(
                    _token.Offset,
                    "messages (Name{…}) are not supported; a map is {\"key\": value}"
                );
            }
            else
            {
                return operand;
            }
        }
    }

    private CelExpression Field(CelExpression operand)
    {
        if (_token.Is("?"))
        {
            throw new CelSyntaxException(_token.Offset, "optional fields (.?) are not supported; ask with has()");
        }

        if (_token.Kind is not (CelTokenKind.Name or CelTokenKind.QuotedName))
        {
            throw Unexpected("a field's name is missing");
        }

        var field = Take();
        if (field.Kind == CelTokenKind.QuotedName || !_token.Is("("))
        {
            return Build(
                new CelExpression.Select(field.Offset, operand, field.Text, IsTest: false, DepthOver(operand))
            );
        }

        Take();
        var arguments = Arguments(")");
        return CelMacros.TryExpand(field, operand, arguments, out var macro)
            ? Build(macro)
            : Build(
                new CelExpression.Call(
                    field.Offset,
                    field.Text,
                    IsMethod: true,
                    [operand, .. arguments],
                    DepthOver([operand, .. arguments])
                )
            );
    }

    private static T Build<T>(T expression)
        where T : CelExpression => expression.Depth <= CelLimits.Depth ? expression : throw TooDeep(expression.Offset);

    private static int DepthOver(params ReadOnlySpan<CelExpression> children)
    {
        var deepest = 0;
        foreach (var child in children)
        {
            deepest = Math.Max(deepest, child.Depth);
        }

        return deepest + 1;
    }

    private CelToken Take()
    {
        var taken = _token;
        _token = _lexer.Next();
        return taken;
    }

    private CelToken? TakeIf(CelTokenKind kind)
    {
        Take();
        return _token.Kind == kind ? Take() : null;
    }

    private void Expect(string symbol)
    {
        if (!_token.Is(symbol))
        {
            throw Unexpected($"{symbol} is missing");
        }

        Take();
    }

    private CelSyntaxException Unexpected(string message) =>
        new(_token.Offset, _token.Kind == CelTokenKind.End ? $"the condition ends too early: {message}" : message);

    private static CelSyntaxException TooDeep(int offset) =>
        new(offset, $"the condition nests deeper than {CelLimits.Depth}");
}
