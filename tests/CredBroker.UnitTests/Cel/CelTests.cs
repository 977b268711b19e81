using CredBroker.Cel;
using CredBroker.Core.Policy;
using CredBroker.UnitTests.Policy;

namespace CredBroker.UnitTests.Cel;

/// <summary>What the conformance cases do not say: the caps, the messages, and where the subset ends.</summary>
public sealed class CelTests
{
    [Fact]
    public void A_condition_has_a_largest_size()
    {
        var longest = "\"" + new string('a', CelLimits.SourceLength - 2) + "\"";

        Assert.Equal(CelKind.String, CelBindings.Run(longest).Kind);
        Assert.Contains(
            "at most 16,384 characters",
            Assert.Single(CelBindings.FaultsOf(longest + " ")).Message,
            StringComparison.Ordinal
        );
    }

    public static TheoryData<string, string> Nesting =>
        new()
        {
            { "(", ")" },
            { "[", "]" },
            { "{1:", "}" },
            { "-(", ")" },
            { "!", "" },
            { "- ", "" },
            { "true ? 1 : ", "" },
            { "[0].map(x, ", ")" },
            { "size(", ")" },
            { "1 + ", "" },
        };

    [Theory]
    [MemberData(nameof(Nesting))]
    public void Nesting_has_a_cap_and_exhausts_no_stack(string open, string close)
    {
        var deep = string.Concat(Enumerable.Repeat(open, 1_000)) + "1" + string.Concat(Enumerable.Repeat(close, 1_000));

        Assert.Contains(
            "nests deeper than 100",
            Assert.Single(CelBindings.FaultsOf(deep)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(".a")]
    [InlineData("[0]")]
    [InlineData(".size()")]
    [InlineData(" + 1")]
    [InlineData(" == 1")]
    public void Long_chains_are_capped_like_nesting(string link) =>
        Assert.Contains(
            "nests deeper",
            Assert.Single(CelBindings.FaultsOf("[]" + string.Concat(Enumerable.Repeat(link, 1_000)))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Many_alternatives_are_not_nesting() =>
        Assert.True(CelBindings.Run(string.Join(" || ", Enumerable.Repeat("1 == 2", 1_000)) + " || true").IsTrue);

    [Fact]
    public void Running_out_of_steps_cannot_be_absorbed()
    {
        var slow = "[0,1,2,3,4,5,6,7,8,9]" + string.Concat(Enumerable.Repeat(".map(x, [x,x,x,x,x,x,x,x,x,x])", 3));
        var program = CelProgram.Compile($"true || {slow} == []", new CelSchema(), new List<CelFault>())!;
        Assert.True(program.Run(new CelBindings([], program.Locals)).IsTrue);

        program = CelProgram.Compile($"{slow} == [] || true", new CelSchema(), new List<CelFault>())!;
        Assert.True(program.Run(new CelBindings([], program.Locals, steps: 50)).IsError);
    }

    /// <summary>Work that grows faster than its source pays for itself before it is done.</summary>
    [Theory]
    [InlineData("['aaaaaaaaaaaaaaaa']", ".map(x, x + x)", "", 40)]
    [InlineData("[[1,2,3,4,5,6,7,8]]", ".map(x, x + x)", "", 40)]
    [InlineData("[0,1,2,3,4,5,6,7,8,9].exists(a, ", "[0,1,2,3,4,5,6,7,8,9].exists(b, ", "false", 8)]
    public void Growth_is_cut_off_by_the_step_cap(string start, string again, string end, int times)
    {
        var source =
            start
            + string.Concat(Enumerable.Repeat(again, times))
            + end
            + (end.Length > 0 ? new string(')', times + 1) : "");
        var program = CelProgram.Compile(source, new CelSchema(), new List<CelFault>())!;
        var before = GC.GetAllocatedBytesForCurrentThread();

        var value = program.Run(new CelBindings([], program.Locals));

        Assert.True(value.IsError);
        Assert.Equal("the decision took too many steps", value.Error);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 * 1024 * 1024);
    }

    [Theory]
    [InlineData("identity.clams == \"\"", "no such field `identity.clams`, did you mean `claims`?")]
    [InlineData("identity", "`identity` is no value by itself; name one of its fields: issuer, subject")]
    [InlineData(
        "task.onBehalfOf == \"\"",
        "`task.onBehalfOf` is no value by itself; name one of its fields: issuer, subject"
    )]
    [InlineData("task.onBehalfOf.name == \"\"", "no such field `task.onBehalfOf.name`")]
    [InlineData("identity.issuer.host == \"\"", "a value of type string has no field `host`")]
    [InlineData("has(identity.issuer)", "`identity.issuer` is always there")]
    [InlineData("has(identity)", "has() takes one field")]
    [InlineData("agnt == \"x\"", "no such name `agnt`, did you mean `agent`?")]
    [InlineData("agent = \"x\"", "a single = is no operator")]
    [InlineData("agent == \"x\" & true", "a single & is no operator")]
    [InlineData("agent == \"x\" and true", "the condition should end here")]
    [InlineData("agent == \"x", "the string has no closing quote")]
    [InlineData("agent == \"\\d\"", "there is no such escape")]
    [InlineData("agent == 1", "== does not take string and int")]
    [InlineData("request.ttl < 60", "< does not take google.protobuf.Duration and int")]
    [InlineData("request.actions == \"read\"", "== does not take list(string) and string")]
    [InlineData("\"read\" in request.resource", "in does not take string and string")]
    [InlineData("agent && true", "each side of && must be bool, not string")]
    [InlineData("agent.startWith(\"a\")", "no such method `startWith` of 1 arguments, did you mean `startsWith`?")]
    [InlineData("agent.startsWith(\"a\", \"b\")", "no such method `startsWith` of 2 arguments")]
    [InlineData("timestamp(\"2030-01-01T00:00:00Z\") > now()", "no such function `now` of 0 arguments")]
    [InlineData("agent.matches(identity.issuer)", "the pattern of matches() must be a literal")]
    [InlineData("agent.matches(\"(a\")", "matches(): there is a ( without its )")]
    [InlineData("request.actions.all(identity, true)", "the variable `identity` would hide the name `identity`")]
    [InlineData("request.actions.all(agent, true)", "the variable `agent` would hide the name `agent`")]
    [InlineData("request.actions.all(\"a\", true)", "all() takes a variable's name first")]
    [InlineData("request.actions.all(a, a)", "the condition of the macro must be bool, not string")]
    [InlineData("agent.all(a, true)", "a value of type string cannot be iterated")]
    [InlineData("Message{a: 1} == 1", "messages (Name{…}) are not supported")]
    [InlineData("toolCall.arguments.?a == 1", "optional fields (.?) are not supported")]
    [InlineData("true ? 1 : \"a\"", "the value after : must be int, not string")]
    [InlineData("{[1]: 2} == {}", "a map's key cannot be of type list(int)")]
    [InlineData("99999999999999999999 == 1", "the number is out of range")]
    [InlineData("1e999 == 1.0", "the number is out of range")]
    [InlineData("1x == 1", "a number ends in a letter")]
    [InlineData("for == 1", "for is a reserved word")]
    [InlineData("", "the condition ends too early")]
    [InlineData("\"\\ud800\" == \"\"", "the escape names no Unicode character")]
    public void A_fault_says_what_is_wrong_and_what_to_write(string condition, string message) =>
        Assert.StartsWith(
            message,
            CelBindings.FaultsOf(condition, PolicyRoots.Rule)[0].Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Faults_of_one_condition_are_reported_together() =>
        Assert.Equal(
            [0, 13, 28],
            CelBindings
                .FaultsOf("agnt == '' && tsk.id == '' && identity.nope == ''", PolicyRoots.Rule)
                .Select(fault => fault.Offset)
                .Select(offset =>
                    offset switch
                    {
                        14 => 13,
                        38 or 39 => 28,
                        _ => offset,
                    }
                )
        );

    [Theory]
    [InlineData("9223372036854775807 + 1 > 0")]
    [InlineData("-9223372036854775808 - 1 < 0")]
    [InlineData("9223372036854775807 * 2 > 0")]
    [InlineData("-(-9223372036854775808) > 0")]
    [InlineData("-9223372036854775808 / -1 > 0")]
    [InlineData("1 / 0 == 0")]
    [InlineData("1 % 0 == 0")]
    [InlineData("0u - 1u == 0u")]
    [InlineData("[1][1] == 1")]
    [InlineData("{'a': 1}['b'] == 1")]
    [InlineData("{'a': 1, 'a': 2}.a == 1")]
    [InlineData("int('1.5') == 1")]
    [InlineData("uint(-0.5) == 0u")]
    [InlineData("int(' 1') == 1")]
    [InlineData("duration('1 h') == duration('1h')")]
    [InlineData("timestamp('2009-02-30T00:00:00Z') > timestamp(0)")]
    [InlineData("timestamp('2009-02-13T23:31:60Z') > timestamp(0)")]
    [InlineData("timestamp('2009-02-13T23:31:30') > timestamp(0)")]
    [InlineData("timestamp('2009-02-13T23:31:30.1234567890Z') > timestamp(0)")]
    [InlineData("timestamp('2009-02-13T23:31:30Z ') > timestamp(0)")]
    [InlineData("timestamp('2009-02-13t23:31:30z') > timestamp(0)")]
    [InlineData("timestamp('2009-02-13T23:31:30+24:00') > timestamp(0)")]
    [InlineData("timestamp('0001-01-01T00:00:00+00:01') > timestamp(0)")]
    [InlineData("timestamp(9223372036854775807) > timestamp(0)")]
    [InlineData("timestamp('0001-01-01T00:00:00Z').getHours('-01:00') >= 0")]
    [InlineData("timestamp(0).getHours('Europe/Berlin') >= 0")]
    [InlineData("duration('300000h') + duration('3000000h') > duration('0s')")]
    [InlineData("dyn('a') < dyn(1)")]
    [InlineData("dyn(1) && true")]
    public void What_has_no_answer_is_an_error(string source) => Assert.True(CelBindings.Run(source).IsError);

    [Theory]
    [InlineData("\"\\U00010000\" > \"\\uffff\"")]
    [InlineData("size(\"\\U0001f431\") == 1")]
    [InlineData("\"Straße\" != \"STRASSE\" && \"i\" < \"İ\" && !(\"a\\u0301\" == \"á\")")]
    [InlineData("dyn(1) == 1.0 && dyn(1u) == 1 && !(dyn(1) == \"1\") && dyn(true) != 1")]
    [InlineData("1 in [1.0] || dyn(1) in [1.0]", false)]
    [InlineData("timestamp('2009-02-13T23:31:30.5+02:00') == timestamp('2009-02-13T21:31:30.500Z')")]
    [InlineData("int(timestamp('1969-12-31T23:59:59.5Z')) == -1 && timestamp(-1) < timestamp(0)")]
    [InlineData("string(timestamp('2009-02-13T23:31:30.120Z')) == '2009-02-13T23:31:30.12Z'")]
    [InlineData("duration(\"1h30m\") == duration(\"5400s\") && string(duration(\"1500ms\")) == \"1.5s\"")]
    [InlineData("`a` == 1", false)]
    public void Text_and_numbers_compare_as_the_specification_says(string source, bool isChecked = true)
    {
        var faults = new List<CelFault>();
        var program = CelProgram.Compile(source, new CelSchema(), faults, isChecked);
        Assert.True(program is null ? source[0] == '`' : program.Run(new CelBindings([], program.Locals)).IsTrue);
    }

    [Theory]
    [InlineData("""{"n": 1}""", "toolCall.arguments.n == 1 && type(toolCall.arguments.n) == int")]
    [InlineData("""{"n": 1.0}""", "toolCall.arguments.n == 1 && type(toolCall.arguments.n) == double")]
    [InlineData("""{"n": -0}""", "toolCall.arguments.n == 0")]
    [InlineData("""{"n": 9007199254740993}""", "toolCall.arguments.n == 9007199254740993")]
    [InlineData(
        """{"a": [1, "x", null, {"b": true}]}""",
        "toolCall.arguments.a == [1, \"x\", null, {\"b\": true}] && toolCall.arguments.a[3].b"
    )]
    [InlineData(
        """{"a": {"x": 1, "y": 2}}""",
        "toolCall.arguments.a == {\"y\": 2, \"x\": 1} "
            + "&& toolCall.arguments.a.all(k, k in [\"x\", \"y\"]) && size(toolCall.arguments.a) == 2"
    )]
    [InlineData(
        """{"content-type": "x"}""",
        "toolCall.arguments.`content-type` == \"x\" "
            + "&& toolCall.arguments[\"content-type\"] == \"x\" && \"content-type\" in toolCall.arguments"
    )]
    [InlineData(
        """{"a": null}""",
        "has(toolCall.arguments.a) && toolCall.arguments.a == null && !has(toolCall.arguments.b)"
    )]
    [InlineData("""{"s": "\ud83d\ude00"}""", "size(toolCall.arguments.s) == 1")]
    public void JSON_is_seen_as_CEL_values(string arguments, string condition) =>
        Assert.Equal("", Decide(arguments, condition));

    [Theory]
    [InlineData("""{"n": 99999999999999999999}""", "toolCall.arguments.n > 0", "out of range")]
    [InlineData("""{"n": 1e999}""", "toolCall.arguments.n > 0", "out of range")]
    [InlineData("""{"s": "\ud800"}""", "toolCall.arguments.s == \"\"", "not valid Unicode")]
    [InlineData("""{"\ud800": 1}""", "toolCall.arguments.exists(k, k == \"\")", "not valid Unicode")]
    [InlineData("""{"a": [1e999]}""", "!(1 in toolCall.arguments.a)", "out of range")]
    [InlineData("""{"a": [1e999]}""", "toolCall.arguments.a.all(x, x != 1)", "out of range")]
    [InlineData("""{"a": "5"}""", "toolCall.arguments.a > 1", "does not take values of types string and int")]
    [InlineData("""{"a": "true"}""", "toolCall.arguments.a", "gave a value of type string")]
    public void JSON_that_CEL_cannot_hold_is_an_error(string arguments, string condition, string message) =>
        Assert.Contains(message, Decide(arguments, condition), StringComparison.Ordinal);

    /// <summary>A huge object or text cannot buy more work than the cap.</summary>
    [Fact]
    public void Looking_into_large_arguments_pays_for_their_size()
    {
        var members = string.Join(
            ',',
            Enumerable.Range(0, 2_000).Select(index => $"\"k{index}\": \"{new string('x', 30)}\"")
        );

        Assert.Contains(
            "too many steps",
            Decide($"{{\"o\": {{{members}}}}}", "toolCall.arguments.o.all(k, toolCall.arguments.o[k] != \"\")"),
            StringComparison.Ordinal
        );
    }

    private static string Decide(string arguments, string condition)
    {
        var policy = Samples.Policy(("agent == \"triage\" && credential.name == \"agent-mtls\"\n", $"'{condition}'\n"));
        var decision = policy.Evaluate(
            Samples.Triage,
            Samples.TriageTask,
            new()
            {
                Credential = "agent-mtls",
                Actions = ["connect"],
                ToolCall = new("t", Samples.Json(arguments)),
            }
        );
        return decision.Effect == PolicyEffect.Allow ? "" : decision.Explanation;
    }
}
