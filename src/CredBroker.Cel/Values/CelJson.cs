using System.Text.Json;

namespace CredBroker.Cel.Values;

/// <summary>
/// JSON as CEL sees it: an integer that fits is an int, every other number a double. Objects and lists are seen in
/// place, converted where they are touched.
/// </summary>
internal static class CelJson
{
    public static CelValue ToValue(CelFrame frame, JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.String => Text(frame, element),
            JsonValueKind.Number => Number(element),
            JsonValueKind.True => CelValue.Of(true),
            JsonValueKind.False => CelValue.Of(false),
            JsonValueKind.Array => Array(frame, element),
            JsonValueKind.Object => CelValue.Of(new CelJsonMap(element)),
            _ => CelValue.Null,
        };

    private static CelValue Text(CelFrame frame, JsonElement element)
    {
        try
        {
            var text = element.GetString()!;
            return frame.SpendOnText(text.Length) ? CelValue.Of(text) : CelFrame.OutOfSteps;
        }
        catch (InvalidOperationException)
        {
            return CelValue.Fail("a JSON string is not valid Unicode");
        }
    }

    private static CelValue Number(JsonElement element)
    {
        if (element.TryGetInt64(out var integer))
        {
            return CelValue.Of(integer);
        }

        // An integer beyond 64 bits would lose digits as a double, and 1e999 would become infinity: neither is the
        // number that was sent.
        var isInteger = element.GetRawText().AsSpan().IndexOfAny(".eE") < 0;
        return !isInteger && element.TryGetDouble(out var real) && double.IsFinite(real)
            ? CelValue.Of(real)
            : CelValue.Fail("a JSON number is out of range");
    }

    private static CelValue Array(CelFrame frame, JsonElement element)
    {
        var count = element.GetArrayLength();
        if (!frame.Spend(1 + count))
        {
            return CelFrame.OutOfSteps;
        }

        var items = new CelValue[count];
        var index = 0;
        foreach (var item in element.EnumerateArray())
        {
            items[index++] = ToValue(frame, item);
        }

        return CelValue.Of(new CelValueList(items));
    }
}

/// <summary>A JSON object, seen in place.</summary>
internal sealed class CelJsonMap(JsonElement element) : CelMap
{
    public override int Count => element.GetPropertyCount();

    public override bool TryGet(CelFrame frame, CelValue key, out CelValue value)
    {
        // JsonElement scans its properties: pay for the scan.
        if (!frame.Spend(1 + (Count >> 2)))
        {
            value = CelFrame.OutOfSteps;
            return true;
        }

        if (key.TryString is { } name && element.TryGetProperty(name, out var property))
        {
            value = CelJson.ToValue(frame, property);
            return true;
        }

        value = default;
        return false;
    }

    public override CelValue[] Keys()
    {
        try
        {
            return [.. element.EnumerateObject().Select(property => CelValue.Of(property.Name))];
        }
        catch (InvalidOperationException)
        {
            return [CelValue.Fail("a JSON member's name is not valid Unicode")];
        }
    }
}
