using CredBroker.Cel.Checking;
using CredBroker.Cel.Nodes;
using CredBroker.Cel.Syntax;

namespace CredBroker.Cel;

/// <summary>
/// A condition, parsed, checked and compiled once. Immutable; any number of decisions run it at the same time.
/// </summary>
public sealed class CelProgram
{
    private readonly CelNode _node;
    private readonly CelSchema _schema;

    private CelProgram(
        string source,
        CelSchema schema,
        CelExpression expression,
        CelNode node,
        CelType type,
        CelBinder binder
    )
    {
        (_node, _schema) = (node, schema);
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

    /// <summary>Compiles a condition, or returns null and reports every fault. Never throws, whatever the text.</summary>
    /// <param name="source">The condition; at most <see cref="CelLimits.SourceLength"/> characters.</param>
    /// <param name="schema">The names that it may read.</param>
    /// <param name="faults">Takes the faults.</param>
    /// <param name="checkTypes">
    /// Whether operations on types that cannot go together are faults already; otherwise they are errors when it is
    /// run.
    /// </param>
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
                return new(source, schema, expression, node, type, binder);
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

    /// <summary>Runs it in a frame of the schema's slots. Throws nothing itself; an error is a value.</summary>
    public CelValue Run(CelFrame frame)
    {
        var value = _node.Evaluate(frame);
        return frame.IsExhausted ? CelFrame.OutOfSteps : value;
    }

    /// <summary>
    /// Runs it with values by path; one that is missing is an error where it is read. It may take
    /// <see cref="CelLimits.Steps"/> steps.
    /// </summary>
    public CelValue Run(IReadOnlyDictionary<string, CelValue> values) => Run(new NamedValues(_schema, values, Locals));

    /// <summary>The operands of the top-level <c>&amp;&amp;</c>; the condition itself where there is none.</summary>
    public IReadOnlyList<CelExpression> Conjuncts =>
        Expression is CelExpression.Logic { IsAnd: true } logic ? logic.Operands : [Expression];

    /// <summary>What top-level conjuncts of the form <c>path == "literal"</c> fix, either way round.</summary>
    public IEnumerable<(string Path, string Text, int Offset)> Pins() =>
        from conjunct in Conjuncts
        where conjunct is CelExpression.Call { Function: "_==_" }
        let call = (CelExpression.Call)conjunct
        from pair in new[] { (call.Arguments[0], call.Arguments[1]), (call.Arguments[1], call.Arguments[0]) }
        let path = pair.Item1.Path
        let text = (pair.Item2 as CelExpression.Literal)?.Value.TryString
        where path is not null && text is not null
        select (path, text, call.Offset);

    private sealed class NamedValues(CelSchema schema, IReadOnlyDictionary<string, CelValue> values, int locals)
        : CelFrame(locals)
    {
        public override CelValue Read(int slot) =>
            values.TryGetValue(schema.Paths[slot], out var value)
                ? value
                : CelValue.Fail($"`{schema.Paths[slot]}` has no value");
    }
}
