using CredBroker.Cel.Checking;
using CredBroker.Cel.Nodes;
using CredBroker.Cel.Syntax;
using CredBroker.Cel.Values;

namespace CredBroker.Cel;

/// <summary>
/// A condition, parsed, checked and compiled once. Immutable; any number of decisions run it at the same time.
/// </summary>
internal sealed class CelProgram
{
    private readonly CelNode _node;

    private CelProgram(string source, CelExpression expression, CelNode node, CelType type, CelBinder binder)
    {
        _node = node;
        Source = source;
        Expression = expression;
        Type = type;
        Reads = binder.Reads;
        Locals = binder.Locals;
    }

    /// <summary>The text.</summary>
    public string Source { get; }

    /// <summary>What was written, for those who look at the condition instead of running it.</summary>
    public CelExpression Expression { get; }

    /// <summary>The result's type.</summary>
    public CelType Type { get; }

    /// <summary>The schema's paths that are read anywhere in it.</summary>
    public IReadOnlySet<string> Reads { get; }

    /// <summary>How many locals its frame needs.</summary>
    public int Locals { get; }

    /// <summary>Compiles a condition, or reports every fault. Never throws, whatever the text.</summary>
    public static CelProgram? Compile(
        string source,
        CelSchema schema,
        ICollection<CelFault> faults,
        bool checkTypes = true
    )
    {
        try
        {
            var expression = CelParser.Parse(source);
            var binder = new CelBinder(schema, checkTypes);
            var (node, type) = binder.Bind(expression);
            if (binder.Faults.Count == 0)
            {
                return new(source, expression, node, type, binder);
            }

            foreach (var fault in binder.Faults)
            {
                faults.Add(fault);
            }
        }
        catch (CelSyntaxException exception)
        {
            faults.Add(exception.Fault);
        }

        return null;
    }

    /// <summary>Runs it. Never throws; an error is a value.</summary>
    public CelValue Run(CelFrame frame)
    {
        var value = _node.Evaluate(frame);
        return frame.IsExhausted ? CelFrame.OutOfSteps : value;
    }

    /// <summary>The operands of the top-level <c>&amp;&amp;</c>; the condition itself where there is none.</summary>
    public IReadOnlyList<CelExpression> Conjuncts =>
        Expression is CelExpression.Logic { IsAnd: true } logic ? logic.Operands : [Expression];

    /// <summary>What top-level conjuncts of the form <c>path == "literal"</c> fix, either way round.</summary>
    public IEnumerable<(string Path, string Text, int Offset)> Pins() =>
        from conjunct in Conjuncts
        where conjunct is CelExpression.Call { Function: "_==_" }
        let call = (CelExpression.Call)conjunct
        from pair in new[] { (call.Arguments[0], call.Arguments[1]), (call.Arguments[1], call.Arguments[0]) }
        where pair.Item2 is CelExpression.Literal { Value.TryString: not null }
        let path = CelPath.Of(pair.Item1)
        where path is not null
        select (path, ((CelExpression.Literal)pair.Item2).Value.String, call.Offset);
}
