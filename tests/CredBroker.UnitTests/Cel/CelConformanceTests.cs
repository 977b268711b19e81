using System.Globalization;
using System.Text.Json;
using CredBroker.Cel;
using CredBroker.Cel.Values;
using CredBroker.UnitTests.Policy;

namespace CredBroker.UnitTests.Cel;

/// <summary>
/// The judge of the evaluator: upstream's own conformance cases, less what the subset leaves out (messages, enums, time
/// zones by name, optionals, extensions, functions of the host). The file names its source, its licence and how many
/// cases each omission costs.
/// </summary>
public sealed class CelConformanceTests
{
    private static readonly ConformanceFile Cases = ConformanceFile.Read();

    public static TheoryData<string> Sections => [.. Cases.Sections.Keys];

    [Theory]
    [MemberData(nameof(Sections))]
    public void Upstream_conformance_cases_hold(string section) =>
        Assert.Empty(Cases.Sections[section].Select(FailureOf).OfType<string>());

    [Fact]
    public void No_case_is_lost() => Assert.Equal(1086, Cases.Sections.Values.Sum(cases => cases.Count));

    private static string? FailureOf(JsonElement test)
    {
        var source = test.GetProperty("expr").GetString()!;
        var types = Members(test, "types").ToDictionary(pair => pair.Name, pair => TypeOf(pair.Value));
        var bindings = Members(test, "bindings").ToDictionary(pair => pair.Name, pair => pair.Value);
        foreach (var name in bindings.Keys)
        {
            types.TryAdd(name, CelType.Dyn);
        }

        var schema = new CelSchema(types.Select(type => (type.Key, type.Value)));
        var faults = new List<CelFault>();
        var program = CelProgram.Compile(source, schema, faults, checkTypes: !test.TryGetProperty("unchecked", out _));
        var wantsError = test.TryGetProperty("error", out _);
        if (program is null)
        {
            return wantsError ? null : $"{source}: {string.Join("; ", faults)}";
        }

        if (test.TryGetProperty("type", out var type) && TypeOf(type) is var wantedType && program.Type != wantedType)
        {
            return $"{source}: type {program.Type}, not {wantedType}";
        }

        if (test.TryGetProperty("checkOnly", out _))
        {
            return null;
        }

        var values = types
            .Keys.Select(name =>
                bindings.TryGetValue(name, out var value) ? ValueOf(value) : CelValue.Fail("not bound")
            )
            .ToList();
        var result = program.Run(new CelBindings(values, program.Locals));
        if (wantsError || result.IsError)
        {
            return wantsError && result.IsError
                ? null
                : $"{source}: {Show(result)}, not {(wantsError ? "an error" : test.GetProperty("value").GetRawText())}";
        }

        return IsSame(result, ValueOf(test.GetProperty("value")))
            ? null
            : $"{source}: {Show(result)}, not {test.GetProperty("value").GetRawText()}";
    }

    // Stricter than CEL's own equality: an int is no uint here, and NaN is itself.
    private static bool IsSame(CelValue result, CelValue wanted)
    {
        if (result.Kind != wanted.Kind)
        {
            return false;
        }

        return result.Kind switch
        {
            CelKind.Double => result.Double.Equals(wanted.Double),
            CelKind.List => result.List.Count == wanted.List.Count
                && Enumerable.Range(0, result.List.Count).All(index => IsSame(result.List[index], wanted.List[index])),
            _ => CelEquality.AreEqual(new CelBindings([], 0), result, wanted),
        };
    }

    private static string Show(CelValue value) =>
        value.IsError
            ? $"error: {value.Error}"
            : value.Kind switch
            {
                CelKind.String => value.String,
                CelKind.Double => value.Double.ToString("R", CultureInfo.InvariantCulture),
                _ => $"{value.Kind} {value.Int}",
            };

    private static CelValue ValueOf(JsonElement value)
    {
        var member = value.EnumerateObject().Single();
        return member.Name switch
        {
            "nullValue" => CelValue.Null,
            "boolValue" => CelValue.Of(member.Value.GetBoolean()),
            "int64Value" => CelValue.Of(long.Parse(member.Value.GetString()!, CultureInfo.InvariantCulture)),
            "uint64Value" => CelValue.Of(ulong.Parse(member.Value.GetString()!, CultureInfo.InvariantCulture)),
            "doubleValue" => CelValue.Of(
                member.Value.ValueKind == JsonValueKind.Number
                    ? member.Value.GetDouble()
                    : double.Parse(member.Value.GetString()!, CultureInfo.InvariantCulture)
            ),
            "stringValue" => CelValue.Of(member.Value.GetString()!),
            "bytesValue" => CelValue.Of(member.Value.GetBytesFromBase64()),
            "typeValue" => CelValue.OfType(
                Enum.GetValues<CelKind>().Single(kind => CelType.NameOf(kind) == member.Value.GetString())
            ),
            "listValue" => CelValue.Of(
                new CelValueList([.. Members(member.Value, "values").Select(item => ValueOf(item.Value))])
            ),
            "mapValue" => MapOf(member.Value),
            _ => throw new InvalidDataException(member.Name),
        };
    }

    private static CelValue MapOf(JsonElement map)
    {
        var entries = Members(map, "entries").ToList();
        return CelValue.Of(
            new CelLiteralMap(
                [.. entries.Select(entry => ValueOf(entry.Value.GetProperty("key")))],
                [.. entries.Select(entry => ValueOf(entry.Value.GetProperty("value")))]
            )
        );
    }

    private static CelType TypeOf(JsonElement type)
    {
        var member = type.EnumerateObject().Single();
        return member.Name switch
        {
            "primitive" => member.Value.GetString() switch
            {
                "BOOL" => CelType.Bool,
                "INT64" => CelType.Int,
                "UINT64" => CelType.Uint,
                "DOUBLE" => CelType.Double,
                "STRING" => CelType.String,
                "BYTES" => CelType.Bytes,
                var other => throw new InvalidDataException(other),
            },
            "null" => CelType.Null,
            "dyn" => CelType.Dyn,
            "messageType" when member.Value.GetString() == "google.protobuf.Duration" => CelType.Duration,
            "messageType" when member.Value.GetString() == "google.protobuf.Timestamp" => CelType.Timestamp,
            "listType" => CelType.ListOf(TypeOf(member.Value.GetProperty("elemType"))),
            "mapType" => CelType.MapOf(
                TypeOf(member.Value.GetProperty("keyType")),
                TypeOf(member.Value.GetProperty("valueType"))
            ),
            _ => throw new InvalidDataException(type.GetRawText()),
        };
    }

    private static IEnumerable<(string Name, JsonElement Value)> Members(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var found))
        {
            return [];
        }

        return found.ValueKind == JsonValueKind.Array
            ? found.EnumerateArray().Select(item => ("", item))
            : found.EnumerateObject().Select(member => (member.Name, member.Value));
    }

    private sealed record ConformanceFile(IReadOnlyDictionary<string, IReadOnlyList<JsonElement>> Sections)
    {
        public static ConformanceFile Read() =>
            new(
                Samples
                    .Json(Samples.File("cel-conformance.json"))
                    .GetProperty("cases")
                    .EnumerateArray()
                    .GroupBy(test => test.GetProperty("section").GetString()!)
                    .ToDictionary(group => group.Key, group => (IReadOnlyList<JsonElement>)[.. group])
            );
    }
}
