using System.Text.Json;
using CredBroker.Cel;

namespace CredBroker.UnitTests.Cel;

/// <summary>What another program sees of the expression language.</summary>
public sealed class CelPublicFaceTests
{
    [Fact]
    public void The_READMEs_example_runs()
    {
        var schema = new CelSchema(("agent", CelType.String), ("request.ttl", CelType.Duration));
        var faults = new List<CelFault>();
        var program = CelProgram.Compile(
            "agent.startsWith('triage-') && request.ttl <= duration('10m')",
            schema,
            faults
        );
        Assert.Empty(faults);
        var result = program!.Run(
            new Dictionary<string, CelValue>
            {
                ["agent"] = CelValue.Of("triage-7"),
                ["request.ttl"] = CelValue.Of(TimeSpan.FromMinutes(5)),
            }
        );

        Assert.True(result.IsTrue);
    }

    [Fact]
    public void A_value_that_is_missing_is_an_error_where_it_is_read_and_only_there()
    {
        var schema = new CelSchema(("a", CelType.Bool), ("b.c", CelType.Bool));
        var program = CelProgram.Compile("a || b.c", schema, new List<CelFault>())!;

        Assert.True(program.Run(new Dictionary<string, CelValue> { ["a"] = CelValue.Of(true) }).IsTrue);
        Assert.Equal(
            "`b.c` has no value",
            program.Run(new Dictionary<string, CelValue> { ["a"] = CelValue.Of(false) }).TryError
        );
    }

    [Fact]
    public void A_result_is_read_by_its_kind_and_is_null_for_every_other()
    {
        var values = new[]
        {
            CelValue.Of(1L),
            CelValue.Of(2UL),
            CelValue.Of(1.5),
            CelValue.Of("t"),
            CelValue.Fail("no"),
            CelValue.Null,
            CelValue.Of(true),
        };

        Assert.Equal(
            [
                (1L, null, null, null, null),
                (null, 2UL, null, null, null),
                (null, null, 1.5, null, null),
                (null, null, null, "t", null),
                (null, null, null, null, "no"),
                (null, null, null, null, null),
                ((long?)null, (ulong?)null, (double?)null, (string?)null, (string?)null),
            ],
            values.Select(value => (value.TryInt, value.TryUint, value.TryDouble, value.TryString, value.TryError))
        );
    }

    [Fact]
    public void Only_a_JSON_object_becomes_a_map()
    {
        Assert.Equal(CelKind.Map, CelValue.OfObject(JsonElement.Parse("""{"a":1}""")).Kind);
        Assert.Throws<ArgumentException>(() => CelValue.OfObject(JsonElement.Parse("[1]")));
    }

    [Fact]
    public void Its_public_types_are_these() =>
        Assert.Equal(
            [
                "CredBroker.Cel.CelFault",
                "CredBroker.Cel.CelFrame",
                "CredBroker.Cel.CelKind",
                "CredBroker.Cel.CelLimits",
                "CredBroker.Cel.CelProgram",
                "CredBroker.Cel.CelSchema",
                "CredBroker.Cel.CelType",
                "CredBroker.Cel.CelValue",
                "CredBroker.Cel.NearestName",
                "CredBroker.Cel.Patterns.SafePattern",
                "CredBroker.Cel.Syntax.CelExpression",
                "CredBroker.Cel.Syntax.CelMacro",
            ],
            typeof(CelProgram)
                .Assembly.GetExportedTypes()
                .Where(type => !type.IsNested)
                .Select(type => type.FullName)
                .Order(StringComparer.Ordinal)
        );
}
