using CredBroker.Cel.Syntax;
using CredBroker.Cel.Values;

namespace CredBroker.Cel.Nodes;

/// <summary>
/// A macro at work: runs its body once for each element of a list or key of a map, with the element in a local of the
/// frame.
/// </summary>
internal sealed class CelMacroNode(CelMacro kind, CelNode range, int local, CelNode? filter, CelNode body) : CelNode
{
    protected override CelValue Run(CelFrame frame)
    {
        var source = range.Evaluate(frame);
        var list = source.Kind switch
        {
            CelKind.List => source.List,
            CelKind.Map when frame.Spend(source.Map.Count) => new CelValueList(source.Map.Keys()),
            _ => null,
        };
        if (list is null)
        {
            if (source.IsError)
            {
                return source;
            }

            return frame.IsExhausted ? CelFrame.OutOfSteps : CelValue.NoOverload(kind.ToString(), source);
        }

        return kind switch
        {
            CelMacro.All => Quantify(frame, list, endsOn: false),
            CelMacro.Exists => Quantify(frame, list, endsOn: true),
            CelMacro.ExistsOne => ExistsOne(frame, list),
            _ => Collect(frame, list),
        };
    }

    // all() ends on the first false and exists() on the first true, whatever errors came before, as && and || do.
    private CelValue Quantify(CelFrame frame, CelList list, bool endsOn)
    {
        var result = CelValue.Of(!endsOn);
        for (var index = 0; index < list.Count && !frame.IsExhausted; index++)
        {
            var value = RunBody(frame, list[index], body);
            if (endsOn ? value.IsTrue : value.IsFalse)
            {
                return value;
            }

            if (value.Kind != CelKind.Bool && !result.IsError)
            {
                result = value.IsError ? value : CelValue.NoOverload(kind.ToString(), value);
            }
        }

        return result;
    }

    private CelValue ExistsOne(CelFrame frame, CelList list)
    {
        var count = 0;
        for (var index = 0; index < list.Count; index++)
        {
            var value = RunBody(frame, list[index], body);
            if (value.Kind != CelKind.Bool)
            {
                return value.IsError ? value : CelValue.NoOverload("exists_one", value);
            }

            count += value.IsTrue ? 1 : 0;
        }

        return CelValue.Of(count == 1);
    }

    private CelValue Collect(CelFrame frame, CelList list)
    {
        var collected = new List<CelValue>();
        var test = kind == CelMacro.Filter ? body : filter;
        for (var index = 0; index < list.Count; index++)
        {
            var item = list[index];
            var wanted = test is null ? CelValue.Of(true) : RunBody(frame, item, test);
            if (wanted.Kind != CelKind.Bool)
            {
                return wanted.IsError ? wanted : CelValue.NoOverload(kind.ToString(), wanted);
            }

            if (wanted.IsTrue)
            {
                var result = kind == CelMacro.Filter ? item : RunBody(frame, item, body);
                if (result.IsError)
                {
                    return result;
                }

                collected.Add(result);
            }
        }

        return CelValue.Of(new CelValueList([.. collected]));
    }

    private CelValue RunBody(CelFrame frame, CelValue item, CelNode expression)
    {
        if (item.IsError)
        {
            return item;
        }

        frame.Local(local) = item;
        return expression.Evaluate(frame);
    }
}
