using System.Text.Json;

namespace CredBroker.Cel.Values;

/// <summary>A list.</summary>
internal abstract class CelList() : CelPayload(CelKind.List)
{
    public abstract int Count { get; }

    public abstract CelValue this[int index] { get; }
}

/// <summary>A list of values.</summary>
internal sealed class CelValueList(CelValue[] items) : CelList
{
    public override int Count => items.Length;

    public override CelValue this[int index] => items[index];
}

/// <summary>A list of strings, seen in place.</summary>
internal sealed class CelTextList(IReadOnlyList<string> items) : CelList
{
    public override int Count => items.Count;

    public override CelValue this[int index] => CelValue.Of(items[index]);
}

/// <summary>A map. Iterating it goes over its keys, in the order they were written.</summary>
internal abstract class CelMap() : CelPayload(CelKind.Map)
{
    public abstract int Count { get; }

    /// <summary>Looks a key up and pays for it; an error value (the step cap) counts as found.</summary>
    public abstract bool TryGet(CelFrame frame, CelValue key, out CelValue value);

    public abstract CelValue[] Keys();
}

/// <summary>A map written in a condition: few entries, so that a scan does.</summary>
internal sealed class CelLiteralMap(CelValue[] keys, CelValue[] values) : CelMap
{
    public override int Count => keys.Length;

    public override bool TryGet(CelFrame frame, CelValue key, out CelValue value)
    {
        for (var index = 0; index < keys.Length; index++)
        {
            if (!frame.Spend(1))
            {
                value = CelFrame.OutOfSteps;
                return true;
            }

            if (CelEquality.AreEqual(frame, keys[index], key))
            {
                value = values[index];
                return true;
            }
        }

        value = default;
        return false;
    }

    public override CelValue[] Keys() => keys;
}

/// <summary>A verified identity's claims, seen in place.</summary>
internal sealed class CelMemberMap(IReadOnlyDictionary<string, JsonElement> claims) : CelMap
{
    public override int Count => claims.Count;

    public override bool TryGet(CelFrame frame, CelValue key, out CelValue value)
    {
        if (key.TryString is { } name && claims.TryGetValue(name, out var element))
        {
            value = CelJson.ToValue(frame, element);
            return true;
        }

        value = default;
        return false;
    }

    public override CelValue[] Keys() => [.. claims.Keys.Select(CelValue.Of)];
}

/// <summary>A map of texts, seen in place.</summary>
internal sealed class CelTextMap(IReadOnlyDictionary<string, string> texts) : CelMap
{
    public override int Count => texts.Count;

    public override bool TryGet(CelFrame frame, CelValue key, out CelValue value)
    {
        if (key.TryString is { } name && texts.TryGetValue(name, out var text))
        {
            value = CelValue.Of(text);
            return true;
        }

        value = default;
        return false;
    }

    public override CelValue[] Keys() => [.. texts.Keys.Select(CelValue.Of)];
}
