using CredBroker.Cel.Nodes;
using CredBroker.Cel.Patterns;
using CredBroker.Cel.Syntax;
using CredBroker.Cel.Values;

namespace CredBroker.Cel.Checking;

/// <content>Macros, functions and operators.</content>
internal sealed partial class CelBinder
{
    private (CelNode Node, CelType Type) BindMacro(CelExpression.Macro macro)
    {
        var (range, rangeType) = Bind(macro.Range);
        var itemType = rangeType.Kind switch
        {
            CelKind.List => rangeType.Element!,
            CelKind.Map => rangeType.Key!,
            CelKind.Dyn => CelType.Dyn,
            _ => Fail(macro.Offset, $"a value of type {rangeType} cannot be iterated").Type,
        };
        if (schema.IsRoot(macro.Variable) || schema.Find(macro.Variable) is not null)
        {
            Fail(
                macro.Offset,
                $"the variable `{macro.Variable}` would hide the name `{macro.Variable}`; call it something else"
            );
        }

        _scope.Add((macro.Variable, itemType));
        Locals = Math.Max(Locals, _scope.Count);
        var filter = macro.Filter is null ? default : Bind(macro.Filter);
        var (body, bodyType) = Bind(macro.Body);
        var local = _scope.Count - 1;
        _scope.RemoveAt(local);

        if (macro.Filter is not null)
        {
            Require(filter.Type, CelType.Bool, macro.Filter.Offset, "the filter of map()");
        }

        if (macro.Kind != CelMacro.Map)
        {
            Require(bodyType, CelType.Bool, macro.Body.Offset, "the condition of the macro");
        }

        var type = macro.Kind switch
        {
            CelMacro.Map => CelType.ListOf(bodyType),
            CelMacro.Filter => CelType.ListOf(itemType),
            _ => CelType.Bool,
        };
        return (new CelMacroNode(macro.Kind, range, local, filter.Node, body), type);
    }

    private (CelNode Node, CelType Type) BindCall(CelExpression.Call call)
    {
        if (call.Function == "matches" && call.Arguments.Count == 2)
        {
            return BindMatches(call);
        }

        var bound = call.Arguments.Select(Bind).ToList();
        var types = bound.Select(argument => argument.Type).ToArray();
        if (CelTypeRules.Find(call.Function) is { } rule)
        {
            return rule.Check(types) is { } type
                ? (Build(call, bound, rule.Apply), type)
                : Mismatch(call, types) ?? (Build(call, bound, rule.Apply), CelType.Dyn);
        }

        if (CelFunctions.Find(call.Function, call.IsMethod, call.Arguments.Count) is not { } function)
        {
            return Fail(
                call.Offset,
                $"no such {(call.IsMethod ? "method" : "function")} "
                    + $"`{call.Function}` of {call.Arguments.Count - (call.IsMethod ? 1 : 0)} arguments"
                    + NearestName.Suggestion(
                        call.Function,
                        CelFunctions.Names(call.IsMethod).Where(name => name != call.Function)
                    )
            );
        }

        var fitting = function
            .Overloads.Where(overload => overload.Takes.Zip(types).All(pair => pair.First.Fits(pair.Second)))
            .ToList();
        if (fitting.Count == 0 && Mismatch(call, types) is { } mismatch)
        {
            return mismatch;
        }

        var gives =
            fitting.Count == 0 ? CelType.Dyn : fitting.Select(overload => overload.Gives).Aggregate(CelType.Join);
        return function.Unary is { } unary
            ? (new CelNode.Unary(bound[0].Node, unary), gives)
            : (new CelNode.Binary(bound[0].Node, bound[1].Node, function.Binary!), gives);
    }

    private static CelNode Build(
        CelExpression.Call call,
        List<(CelNode Node, CelType Type)> bound,
        Func<CelFrame, CelValue, CelValue, CelValue> apply
    ) =>
        (call.Function, call.Arguments[0], call.Arguments[1]) switch
        {
            ("_==_", _, CelExpression.Literal { Value.TryString: { } text }) => new CelNode.TextEquals(
                bound[0].Node,
                text
            ),
            ("_==_", CelExpression.Literal { Value.TryString: { } text }, _) => new CelNode.TextEquals(
                bound[1].Node,
                text
            ),
            _ => new CelNode.Binary(bound[0].Node, bound[1].Node, apply),
        };

    private (CelNode Node, CelType Type)? Mismatch(CelExpression.Call call, CelType[] types) =>
        checkTypes
            ? Fail(
                call.Offset,
                $"{Shown(call.Function)} does not take {string.Join(" and ", types.Select(type => type.ToString()))}"
            )
            : null;

    // An operator is _+_ or @in inside.
    private static string Shown(string function) =>
        function.Replace("_", " ", StringComparison.Ordinal).Replace("@", "", StringComparison.Ordinal).Trim();

    // The pattern is a literal: compiled once, and never the agent's.
    private (CelNode Node, CelType Type) BindMatches(CelExpression.Call call)
    {
        var (text, type) = Bind(call.Arguments[0]);
        Require(type, CelType.String, call.Arguments[0].Offset, "what matches() looks at");
        if (call.Arguments[1] is not CelExpression.Literal { Value.TryString: { } pattern } literal)
        {
            return Fail(call.Arguments[1].Offset, "the pattern of matches() must be a literal");
        }

        return SafePattern.TryCompile(pattern, out var regex, out var fault)
            ? (new CelNode.Unary(text, CelText.Matches(regex)), CelType.Bool)
            : Fail(literal.Offset, $"matches(): {fault}");
    }
}
