using CredBroker.Cel.Nodes;
using CredBroker.Cel.Syntax;
using CredBroker.Cel.Values;

namespace CredBroker.Cel.Checking;

/// <summary>
/// Resolves names, checks types and builds the nodes that run, in one walk. It goes on after a fault, so that all of
/// them are reported together. Without type checks (only the conformance cases ask for that) what the checker would
/// refuse becomes an error when it is run.
/// </summary>
internal sealed partial class CelBinder(CelSchema schema, bool checkTypes)
{
    private static readonly Dictionary<string, CelKind> TypeNames = Enum.GetValues<CelKind>()
        .Where(kind => kind is not (CelKind.Error or CelKind.Dyn))
        .ToDictionary(CelType.NameOf, StringComparer.Ordinal);

    private readonly List<(string Name, CelType Type)> _scope = [];

    public List<CelFault> Faults { get; } = [];

    /// <summary>The schema's paths that the condition reads, anywhere in it.</summary>
    public HashSet<string> Reads { get; } = new(StringComparer.Ordinal);

    /// <summary>How many locals the frame needs.</summary>
    public int Locals { get; private set; }

    public (CelNode Node, CelType Type) Bind(CelExpression expression) =>
        expression switch
        {
            CelExpression.Literal literal => (new CelNode.Constant(literal.Value), TypeOf(literal.Value)),
            CelExpression.Name or CelExpression.Select => BindPath(expression),
            CelExpression.Logic logic => BindLogic(logic),
            CelExpression.Conditional conditional => BindConditional(conditional),
            CelExpression.ListOf list => BindList(list),
            CelExpression.MapOf map => BindMap(map),
            CelExpression.Macro macro => BindMacro(macro),
            CelExpression.Call call => BindCall(call),
            _ => throw new InvalidOperationException(expression.GetType().Name),
        };

    /// <summary>Reports a fault and stands in for what is faulty.</summary>
    private (CelNode Node, CelType Type) Fail(int offset, string message)
    {
        if (checkTypes)
        {
            Faults.Add(new(offset, message));
        }

        return (new CelNode.Failure(message), CelType.Dyn);
    }

    private void Require(CelType type, CelType wanted, int offset, string what)
    {
        if (checkTypes && !type.Fits(wanted))
        {
            Faults.Add(new(offset, $"{what} must be {wanted}, not {type}"));
        }
    }

    private (CelNode Node, CelType Type) BindPath(CelExpression expression)
    {
        if (expression.TryReadPath(out var path, out var isAbsolute))
        {
            var local = isAbsolute ? -1 : _scope.FindLastIndex(variable => variable.Name == path.Split('.')[0]);
            if (expression is CelExpression.Name && local >= 0)
            {
                return (new CelNode.Local(local), _scope[local].Type);
            }

            if (local < 0 && schema.Find(path) is { } variable)
            {
                Reads.Add(path);
                return expression is CelExpression.Select { IsTest: true }
                    ? Fail(
                        expression.Offset,
                        $"`{path}` is always there: compare it with \"\", 0 or [] instead of has()"
                    )
                    : (new CelNode.Path(variable.Slot), variable.Type);
            }

            if (local < 0 && TypeNames.TryGetValue(path, out var kind))
            {
                return (new CelNode.Constant(CelValue.OfType(kind)), CelType.Type);
            }
        }

        return expression is CelExpression.Select select
            ? BindSelect(select)
            : BindUnknown((CelExpression.Name)expression);
    }

    private (CelNode Node, CelType Type) BindUnknown(CelExpression.Name name) =>
        schema.IsRoot(name.Text)
            ? FailOnRoot(name.Offset, name.Text)
            : Fail(
                name.Offset,
                $"no such name `{name.Text}`"
                    + NearestName.Suggestion(
                        name.Text,
                        schema.NamesAfter("").Concat(_scope.Select(variable => variable.Name))
                    )
            );

    private (CelNode Node, CelType Type) FailOnRoot(int offset, string root) =>
        Fail(
            offset,
            $"`{root}` is no value by itself; name one of its fields: "
                + $"{string.Join(", ", schema.NamesAfter(root + "."))}"
        );

    private (CelNode Node, CelType Type) BindSelect(CelExpression.Select select)
    {
        if (
            select.Operand.TryReadPath(out var prefix, out var isAbsolute)
            && schema.Find(prefix) is null
            && schema.NamesAfter(prefix + ".").Any()
            && (isAbsolute || !_scope.Exists(variable => variable.Name == prefix.Split('.')[0]))
        )
        {
            var path = $"{prefix}.{select.Field}";
            return schema.IsRoot(path)
                ? FailOnRoot(select.Offset, path)
                : Fail(
                    select.Offset,
                    $"no such field `{path}`{NearestName.Suggestion(select.Field, schema.NamesAfter(prefix + "."))}"
                );
        }

        var (operand, type) = Bind(select.Operand);
        if (type.Kind is not (CelKind.Map or CelKind.Dyn) && checkTypes)
        {
            return Fail(select.Offset, $"a value of type {type} has no field `{select.Field}`");
        }

        return select.IsTest
            ? (new CelNode.Has(operand, select.Field), CelType.Bool)
            : (new CelNode.Select(operand, select.Field), type.Element ?? CelType.Dyn);
    }

    private (CelNode Node, CelType Type) BindLogic(CelExpression.Logic logic)
    {
        var operands = new CelNode[logic.Operands.Count];
        for (var index = 0; index < operands.Length; index++)
        {
            (operands[index], var type) = Bind(logic.Operands[index]);
            Require(type, CelType.Bool, logic.Operands[index].Offset, $"each side of {(logic.IsAnd ? "&&" : "||")}");
        }

        return (logic.IsAnd ? new CelNode.And(operands) : new CelNode.Or(operands), CelType.Bool);
    }

    private (CelNode Node, CelType Type) BindConditional(CelExpression.Conditional conditional)
    {
        var (test, testType) = Bind(conditional.Test);
        var (then, thenType) = Bind(conditional.Then);
        var (otherwise, otherwiseType) = Bind(conditional.Else);
        Require(testType, CelType.Bool, conditional.Offset, "what stands before ?");
        Require(otherwiseType, thenType, conditional.Offset, "the value after :");
        return (new CelNode.Conditional(test, then, otherwise), CelType.Join(thenType, otherwiseType));
    }

    private (CelNode Node, CelType Type) BindList(CelExpression.ListOf list)
    {
        var bound = list.Items.Select(Bind).ToList();
        var nodes = bound.Select(item => item.Node).ToArray();
        var type = CelType.ListOf(JoinAll(bound.Select(item => item.Type)));
        // A list of literals is made once.
        return list.Items.All(item => item is CelExpression.Literal)
            ? (
                new CelNode.Constant(
                    CelValue.Of(new CelValueList([.. list.Items.Select(item => ((CelExpression.Literal)item).Value)]))
                ),
                type
            )
            : (new CelNode.ListOf(nodes), type);
    }

    private (CelNode Node, CelType Type) BindMap(CelExpression.MapOf map)
    {
        var keys = map.Entries.Select(entry => Bind(entry.Key)).ToList();
        var values = map.Entries.Select(entry => Bind(entry.Value)).ToList();
        var keyType = JoinAll(keys.Select(key => key.Type));
        if (
            checkTypes
            && keys.Find(key =>
                key.Type.Kind is not (CelKind.Bool or CelKind.Int or CelKind.Uint or CelKind.String or CelKind.Dyn)
            )
                is { Node: not null } bad
        )
        {
            return Fail(map.Offset, $"a map's key cannot be of type {bad.Type}");
        }

        return (
            new CelNode.MapOf([.. keys.Zip(values, (key, value) => (key.Node, value.Node))]),
            CelType.MapOf(keyType, JoinAll(values.Select(value => value.Type)))
        );
    }

    private static CelType JoinAll(IEnumerable<CelType> types) =>
        types.Distinct().ToList() is { Count: > 0 } distinct ? distinct.Aggregate(CelType.Join) : CelType.Dyn;

    private static CelType TypeOf(CelValue value) =>
        value.Kind switch
        {
            CelKind.Null => CelType.Null,
            CelKind.Bool => CelType.Bool,
            CelKind.Int => CelType.Int,
            CelKind.Uint => CelType.Uint,
            CelKind.Double => CelType.Double,
            CelKind.String => CelType.String,
            CelKind.Bytes => CelType.Bytes,
            _ => CelType.Dyn,
        };
}
