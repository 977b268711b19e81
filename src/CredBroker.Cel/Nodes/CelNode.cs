using CredBroker.Cel.Values;

namespace CredBroker.Cel.Nodes;

/// <summary>A compiled expression. Immutable: all that changes while it runs is in the frame.</summary>
internal abstract class CelNode
{
    /// <summary>Runs it; each node costs one step.</summary>
    public CelValue Evaluate(CelFrame frame) => frame.Spend(1) ? Run(frame) : CelFrame.OutOfSteps;

    protected abstract CelValue Run(CelFrame frame);

    public sealed class Constant(CelValue value) : CelNode
    {
        protected override CelValue Run(CelFrame frame) => value;
    }

    public sealed class Path(int slot) : CelNode
    {
        protected override CelValue Run(CelFrame frame) => frame.Read(slot);
    }

    public sealed class Local(int index) : CelNode
    {
        protected override CelValue Run(CelFrame frame) => frame.Local(index);
    }

    public sealed class Select(CelNode operand, string field) : CelNode
    {
        private readonly CelValue _key = CelValue.Of(field);

        protected override CelValue Run(CelFrame frame)
        {
            var target = operand.Evaluate(frame);
            return target.Kind switch
            {
                CelKind.Map => target.Map.TryGet(frame, _key, out var value)
                    ? value
                    : CelValue.Fail($"no such key: {field}"),
                CelKind.Error => target,
                _ => CelValue.NoOverload($".{field}", target),
            };
        }
    }

    public sealed class Has(CelNode operand, string field) : CelNode
    {
        private readonly CelValue _key = CelValue.Of(field);

        protected override CelValue Run(CelFrame frame)
        {
            var target = operand.Evaluate(frame);
            return target.Kind switch
            {
                CelKind.Map => CelValue.Of(target.Map.TryGet(frame, _key, out _)),
                CelKind.Error => target,
                _ => CelValue.NoOverload("has()", target),
            };
        }
    }

    /// <summary>
    /// <c>&amp;&amp;</c>: false if any operand is false, whatever the others do; otherwise an error if any is one.
    /// </summary>
    public sealed class And(CelNode[] operands) : CelNode
    {
        protected override CelValue Run(CelFrame frame)
        {
            var result = CelValue.Of(true);
            foreach (var operand in operands)
            {
                var value = operand.Evaluate(frame);
                if (value.IsFalse)
                {
                    return value;
                }

                if (!value.IsTrue && !result.IsError)
                {
                    result = value.IsError ? value : CelValue.NoOverload("&&", value);
                }
            }

            return result;
        }
    }

    /// <summary>
    /// <c>||</c>: true if any operand is true, whatever the others do; otherwise an error if any is one.
    /// </summary>
    public sealed class Or(CelNode[] operands) : CelNode
    {
        protected override CelValue Run(CelFrame frame)
        {
            var result = CelValue.Of(false);
            foreach (var operand in operands)
            {
                var value = operand.Evaluate(frame);
                if (value.IsTrue)
                {
                    return value;
                }

                if (!value.IsFalse && !result.IsError)
                {
                    result = value.IsError ? value : CelValue.NoOverload("||", value);
                }
            }

            return result;
        }
    }

    public sealed class Conditional(CelNode test, CelNode then, CelNode otherwise) : CelNode
    {
        protected override CelValue Run(CelFrame frame)
        {
            var value = test.Evaluate(frame);
            if (value.IsTrue)
            {
                return then.Evaluate(frame);
            }

            if (value.IsFalse)
            {
                return otherwise.Evaluate(frame);
            }

            return value.IsError ? value : CelValue.NoOverload("?:", value);
        }
    }

    public sealed class Unary(CelNode operand, Func<CelFrame, CelValue, CelValue> apply) : CelNode
    {
        protected override CelValue Run(CelFrame frame)
        {
            var value = operand.Evaluate(frame);
            return value.IsError ? value : apply(frame, value);
        }
    }

    public sealed class Binary(CelNode left, CelNode right, Func<CelFrame, CelValue, CelValue, CelValue> apply)
        : CelNode
    {
        protected override CelValue Run(CelFrame frame)
        {
            var one = left.Evaluate(frame);
            if (one.IsError)
            {
                return one;
            }

            var other = right.Evaluate(frame);
            return other.IsError ? other : apply(frame, one, other);
        }
    }

    /// <summary><c>path == "literal"</c>: what most conditions are made of.</summary>
    public sealed class TextEquals(CelNode operand, string text) : CelNode
    {
        private readonly CelValue _literal = CelValue.Of(text);

        protected override CelValue Run(CelFrame frame)
        {
            var value = operand.Evaluate(frame);
            if (value.TryString is { } other)
            {
                return CelValue.Of(
                    other.Length == text.Length
                        && frame.SpendOnText(text.Length)
                        && string.Equals(other, text, StringComparison.Ordinal)
                );
            }

            return value.IsError ? value : CelValue.Of(CelEquality.AreEqual(frame, value, _literal));
        }
    }

    public sealed class ListOf(CelNode[] items) : CelNode
    {
        protected override CelValue Run(CelFrame frame)
        {
            var values = new CelValue[items.Length];
            for (var index = 0; index < items.Length; index++)
            {
                values[index] = items[index].Evaluate(frame);
                if (values[index].IsError)
                {
                    return values[index];
                }
            }

            return CelValue.Of(new CelValueList(values));
        }
    }

    public sealed class MapOf((CelNode Key, CelNode Value)[] entries) : CelNode
    {
        protected override CelValue Run(CelFrame frame)
        {
            var keys = new CelValue[entries.Length];
            var values = new CelValue[entries.Length];
            for (var index = 0; index < entries.Length; index++)
            {
                var key = entries[index].Key.Evaluate(frame);
                var value = entries[index].Value.Evaluate(frame);
                if (key.IsError || value.IsError)
                {
                    return key.IsError ? key : value;
                }

                if (key.Kind is not (CelKind.Bool or CelKind.Int or CelKind.Uint or CelKind.String))
                {
                    return CelValue.Fail($"a map's key cannot be of type {CelType.NameOf(key.Kind)}");
                }

                for (var earlier = 0; earlier < index; earlier++)
                {
                    if (!frame.Spend(1))
                    {
                        return CelFrame.OutOfSteps;
                    }

                    if (CelEquality.AreEqual(frame, keys[earlier], key))
                    {
                        return CelValue.Fail("a map has the same key twice");
                    }
                }

                (keys[index], values[index]) = (key, value);
            }

            return CelValue.Of(new CelLiteralMap(keys, values));
        }
    }

    public sealed class Failure(string message) : CelNode
    {
        protected override CelValue Run(CelFrame frame) => CelValue.Fail(message);
    }
}
