using System.Collections;
using System.Reflection;
using System.Text.Json;
using CredBroker.Core.Policy;

namespace CredBroker.UnitTests.Policy;

/// <summary>
/// Every value that differs from a record in one field, found by reflection at any depth: a field that is added later is
/// among them, and one of a type that is not known here fails.
/// </summary>
internal static class Variations
{
    public static IEnumerable<(string Field, object? Value)> Of(object? value, Type type, string field)
    {
        if (Nullable.GetUnderlyingType(type) is { } inner)
        {
            return value is null
                ? [(field, Activator.CreateInstance(inner))]
                : [(field, null), .. Of(value, inner, field)];
        }

        return value switch
        {
            string text => [(field, text + "x"), (field, text.Length > 0 ? "" : "y")],
            bool flag => [(field, !flag)],
            int number => [(field, number + 1)],
            TimeSpan span => [(field, span + TimeSpan.FromTicks(1))],
            DateTimeOffset time => [(field, time + TimeSpan.FromTicks(1))],
            Enum one => Enum.GetValues(type)
                .Cast<object>()
                .Where(other => !other.Equals(one))
                .Select(o => (field, (object?)o)),
            JsonElement json => OfJson(json).Select(other => (field, (object?)other)),
            IReadOnlyDictionary<string, JsonElement> members => OfMembers(members)
                .Select(other => (field, (object?)other)),
            IReadOnlyDictionary<string, string> texts => OfTexts(texts).Select(other => (field, (object?)other)),
            IEnumerable list => OfList(list, type.GetGenericArguments()[0], field),
            null when type == typeof(string) => [(field, ""), (field, "x")],
            null => [(field, Filled(type))],
            _ when type.IsClass => OfRecord(value, field),
            _ => throw new NotSupportedException($"{field}: {type}"),
        };
    }

    private static IEnumerable<(string, object?)> OfRecord(object record, string field)
    {
        foreach (var other in Siblings(record))
        {
            yield return (field, other);
        }

        var properties = record.GetType().GetProperties().Where(property => property.CanWrite).ToList();
        Assert.NotEmpty(properties);
        var nullability = new NullabilityInfoContext();
        foreach (var property in properties)
        {
            var own = property.GetValue(record);
            var variants = Of(own, property.PropertyType, $"{field}.{property.Name}");
            if (
                own is not null
                && !property.PropertyType.IsValueType
                && nullability.Create(property).ReadState == NullabilityState.Nullable
            )
            {
                variants = variants.Append(($"{field}.{property.Name}", null));
            }

            foreach (var (name, variant) in variants)
            {
                var copy = record.GetType().GetMethod("<Clone>$")!.Invoke(record, [])!;
                property.SetValue(copy, variant);
                yield return (name, copy);
            }
        }
    }

    /// <summary>Another kind that says the same, where a type has kinds.</summary>
    private static IEnumerable<object> Siblings(object record) =>
        record switch
        {
            Approver.Group group => [new Approver.Role(group.Name)],
            Approver.Role role => [new Approver.Group(role.Name)],
            VaultBinding.Database database => [new VaultBinding.Pki(database.Mount, database.Role, PkiMode.Sign)],
            _ => [],
        };

    private static IEnumerable<(string, object?)> OfList(IEnumerable list, Type item, string field)
    {
        var items = list.Cast<object>().ToList();
        Assert.True(items.Count > 1, $"{field} needs two elements to be varied");
        yield return (field, Typed(items[1..]));
        yield return (field, Typed([.. items, items[0]]));
        yield return (field, Typed([.. items.AsEnumerable().Reverse()]));
        for (var index = 0; index < items.Count; index++)
        {
            foreach (var (name, variant) in Of(items[index], item, $"{field}[{index}]"))
            {
                List<object> copy = [.. items];
                copy[index] = variant!;
                yield return (name, Typed(copy));
            }
        }

        Array Typed(List<object> values)
        {
            var array = Array.CreateInstance(item, values.Count);
            ((ICollection)values).CopyTo(array, 0);
            return array;
        }
    }

    private static IEnumerable<JsonElement> OfJson(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object =>
            [
                .. OfMembers(value.EnumerateObject().ToDictionary(one => one.Name, one => one.Value))
                    .Select(members => JsonSerializer.SerializeToElement(members)),
            ],
            JsonValueKind.Number => [Json($"{value.GetRawText()}1"), Json($"\"{value.GetRawText()}\"")],
            JsonValueKind.String => [Json($"\"{value.GetString()}x\""), Json("null"), Json("7")],
            _ => [Json("\"another\"")],
        };

    private static IEnumerable<Dictionary<string, JsonElement>> OfMembers(
        IReadOnlyDictionary<string, JsonElement> members
    )
    {
        yield return new(members) { ["another"] = Json("1") };
        foreach (var (name, value) in members)
        {
            yield return members.Where(one => one.Key != name).ToDictionary();
            foreach (var other in OfJson(value))
            {
                yield return new(members) { [name] = other };
            }
        }
    }

    private static IEnumerable<Dictionary<string, string>> OfTexts(IReadOnlyDictionary<string, string> texts)
    {
        yield return new(texts) { ["another"] = "1" };
        foreach (var (name, value) in texts)
        {
            yield return texts.Where(one => one.Key != name).ToDictionary();
            yield return new(texts) { [name] = value + "x" };
            yield return new(texts) { [name] = "" };
        }
    }

    private static object Filled(Type type)
    {
        if (type.IsInterface)
        {
            // A list of which nothing is known but what it holds.
            return Array.CreateInstance(type.GetGenericArguments()[0], 1);
        }

        var constructor = type.GetConstructors().OrderByDescending(one => one.GetParameters().Length).First();
        return constructor.Invoke([
            .. constructor.GetParameters().Select(parameter => Filler(parameter.ParameterType)),
        ]);
    }

    private static object? Filler(Type type) =>
        type switch
        {
            _ when type == typeof(string) => "filled",
            { IsValueType: true } => Activator.CreateInstance(type),
            _ => null,
        };

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
