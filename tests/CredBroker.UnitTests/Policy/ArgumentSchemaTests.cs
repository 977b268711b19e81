using CredBroker.Core.Policy;

namespace CredBroker.UnitTests.Policy;

public sealed class ArgumentSchemaTests
{
    [Theory]
    [InlineData("""{"type":"object"}""", """{"anything":1}""", null)]
    [InlineData("""{"type":"object"}""", "[]", "arguments fails type")]
    [InlineData("""{"type":"object","required":["a"]}""", "{}", "arguments lacks a")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer"}}}""", """{"a":1.0}""", null)]
    [InlineData(
        """{"type":"object","properties":{"a":{"type":"integer"}}}""",
        """{"a":1.5}""",
        "arguments.a fails type"
    )]
    [InlineData("""{"type":"object","properties":{"a":{"type":["string","null"]}}}""", """{"a":null}""", null)]
    [InlineData(
        """{"type":"object","properties":{"a":{"type":"boolean"}}}""",
        """{"a":"true"}""",
        "arguments.a fails type"
    )]
    [InlineData("""{"type":"object","additionalProperties":false}""", """{"b":1}""", "arguments takes no b")]
    [InlineData(
        """{"type":"object","additionalProperties":{"type":"string"}}""",
        """{"b":1}""",
        "arguments.b fails type"
    )]
    [InlineData("""{"type":"object","properties":{"a":{"enum":["x",1,null]}}}""", """{"a":1.0}""", null)]
    [InlineData(
        """{"type":"object","properties":{"a":{"enum":["x",1,null]}}}""",
        """{"a":"y"}""",
        "arguments.a is none of the allowed values"
    )]
    [InlineData("""{"type":"object","properties":{"a":{"const":{"b":[1]}}}}""", """{"a":{"b":[1]}}""", null)]
    [InlineData(
        """{"type":"object","properties":{"a":{"const":2}}}""",
        """{"a":3}""",
        "arguments.a is none of the allowed values"
    )]
    [InlineData("""{"type":"object","properties":{"a":{"minimum":1,"maximum":2}}}""", """{"a":2}""", null)]
    [InlineData("""{"type":"object","properties":{"a":{"minimum":1}}}""", """{"a":0}""", "arguments.a fails minimum")]
    [InlineData("""{"type":"object","properties":{"a":{"maximum":1}}}""", """{"a":2}""", "arguments.a fails maximum")]
    [InlineData(
        """{"type":"object","properties":{"a":{"exclusiveMinimum":1}}}""",
        """{"a":1}""",
        "arguments.a fails exclusiveMinimum"
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"exclusiveMaximum":1}}}""",
        """{"a":1}""",
        "arguments.a fails exclusiveMaximum"
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"maximum":1}}}""",
        """{"a":1e999}""",
        "arguments.a is out of range"
    )]
    [InlineData("""{"type":"object","properties":{"a":{"minLength":1,"maxLength":2}}}""", """{"a":"😀😀"}""", null)]
    [InlineData(
        """{"type":"object","properties":{"a":{"maxLength":2}}}""",
        """{"a":"abc"}""",
        "arguments.a fails maxLength"
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"minLength":1}}}""",
        """{"a":""}""",
        "arguments.a fails minLength"
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"pattern":"^[a-z]+$"}}}""",
        """{"a":"abc\n"}""",
        "arguments.a fails pattern"
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"minLength":1}}}""",
        """{"a":"\ud800"}""",
        "arguments.a is not valid Unicode"
    )]
    [InlineData("""{"type":"object","additionalProperties":false}""", """{"\ud800":1}""", "not valid Unicode")]
    [InlineData(
        """{"type":"object","properties":{"a":{"items":{"type":"string"},"minItems":1,"maxItems":2}}}""",
        """{"a":["x","y"]}""",
        null
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"items":{"type":"string"}}}}""",
        """{"a":["x",1]}""",
        "arguments.a[1] fails type"
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"minItems":1}}}""",
        """{"a":[]}""",
        "arguments.a fails minItems"
    )]
    [InlineData(
        """{"type":"object","properties":{"a":{"maxItems":1}}}""",
        """{"a":[1,2]}""",
        "arguments.a fails maxItems"
    )]
    public void Arguments_are_checked_keyword_by_keyword(string schema, string arguments, string? fault)
    {
        var faults = new List<string>();
        var loaded = ArgumentSchema.Load(schema, faults);

        Assert.Empty(faults);
        var found = loaded!.Check(Samples.Json(arguments));
        Assert.Equal(fault is null, found is null);
        Assert.Contains(fault ?? "", found ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "/: a schema must be an object")]
    [InlineData("{}", "must say \"type\": \"object\"")]
    [InlineData("""{"type":"string"}""", "must say \"type\": \"object\"")]
    [InlineData("""{"type":"object","$ref":"#/x"}""", "/: the keyword `$ref` is not supported")]
    [InlineData(
        """{"type":"object","properties":{"a":{"format":"email"}}}""",
        "/properties/a: the keyword `format` is not supported"
    )]
    [InlineData("""{"type":"object","allOf":[]}""", "the keyword `allOf` is not supported")]
    [InlineData("""{"type":"object","properties":{"a":true}}""", "/properties/a: a schema must be an object")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"text"}}}""", "there is no type `text`")]
    [InlineData("""{"type":"object","properties":{"a":{"pattern":"(?=x)"}}}""", "/properties/a/pattern: of the groups")]
    [InlineData(
        """{"type":"object","properties":{"a":{"minLength":-1}}}""",
        "must be a whole number that is not negative"
    )]
    [InlineData("""{"type":"object","properties":{"a":{"maximum":"1"}}}""", "must be a number")]
    [InlineData("""{"type":"object","properties":{"a":{"enum":[]}}}""", "must be a list with something in it")]
    [InlineData("""{"type":"object","required":"a"}""", "/required: must be a list of texts")]
    [InlineData("""{"type":"object","type":"object"}""", "this is not JSON")]
    [InlineData("""{"type":"object",}""", "this is not JSON")]
    [InlineData("nonsense", "this is not JSON")]
    public void A_schema_that_is_not_understood_in_full_is_refused(string schema, string message)
    {
        var faults = new List<string>();

        Assert.Null(ArgumentSchema.Load(schema, faults));
        Assert.Contains(faults, fault => fault.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void Schemas_have_a_largest_size_and_depth()
    {
        var faults = new List<string>();
        Assert.Null(ArgumentSchema.Load(new string(' ', ArgumentSchema.MaxLength + 1), faults));
        Assert.Null(ArgumentSchema.Load(string.Concat(Enumerable.Repeat("{\"items\":", 5_000)), faults));
        Assert.Equal(2, faults.Count);
    }
}
