using CredBroker.Core.Policy;

namespace CredBroker.UnitTests.Policy;

/// <summary>What an approver sees of a tool call: nothing hidden, nothing endless, and no value that may only be compared.</summary>
public sealed class ShownValueTests
{
    [Theory]
    [InlineData("\"DE02 1203\"", "text", "DE02 1203")]
    [InlineData("\"\"", "text", "")]
    [InlineData("\"a\\nb\\u200bc\\u202ed\"", "text", @"a\u{000A}b\u{200B}c\u{202E}d")]
    [InlineData("\" a  b \"", "text", @"\u{0020}a \u{0020}b\u{0020}")]
    [InlineData("\"\\\\u{200B}\"", "text", @"\\u{200B}")]
    [InlineData("\"\\ud83d\\ude00\\udb40\\udc41\"", "text", "\ud83d\ude00\\u{E0041}")]
    [InlineData("1e2", "number", "100")]
    [InlineData("100.00000000000000000001", "number", "10000000000000000000001e-20")]
    [InlineData("\"100\"", "text", "100")]
    [InlineData("true", "boolean", "true")]
    [InlineData("null", "null", "null")]
    [InlineData("[2, \"a\\u200b\\n\"]", "list", "[2,\"a\\u200b\\n\"]")]
    [InlineData("{\"b\":1, \"a\":\"\\udb40\\udc41\"}", "object", "{\"a\":\"\\udb40\\udc41\",\"b\":1}")]
    public void A_value_is_shown_with_nothing_hidden_in_it(string value, string kind, string text)
    {
        var shown = Show($"{{\"x\":{value}}}", "toolCall.arguments.x", asDigest: false);

        Assert.Equal((kind, text, false, ""), (shown.Kind, shown.Text, shown.IsCut, shown.Digest));
    }

    [Fact]
    public void A_long_value_is_cut_between_characters_and_its_digest_stands_beside_it()
    {
        var long1 = Show($"{{\"x\":\"{new string('a', 499)}\ud83d\ude00b\"}}", "toolCall.arguments.x", asDigest: false);
        var long2 = Show($"{{\"x\":\"{new string('a', 499)}\ud83d\ude00c\"}}", "toolCall.arguments.x", asDigest: false);
        var whole = Show($"{{\"x\":\"{new string('a', 500)}\"}}", "toolCall.arguments.x", asDigest: false);

        Assert.Equal((new string('a', 499), true), (long1.Text, long1.IsCut));
        Assert.Equal((long1.Text, true), (long2.Text, long2.IsCut));
        Assert.NotEqual(long1.Digest, long2.Digest);
        Assert.Equal((500, false, ""), (whole.Text.Length, whole.IsCut, whole.Digest));
    }

    [Fact]
    public void What_may_only_be_compared_is_a_digest_of_its_canonical_form()
    {
        var shown = Show("{\"x\":{\"b\":1.0,\"a\":\"DE02\"}}", "toolCall.arguments.x", asDigest: true);

        Assert.Equal(("digest", "", false), (shown.Kind, shown.Text, shown.IsCut));
        // printf '{"a":"DE02","b":1}' | sha256sum
        Assert.Equal("8f921a7d24fc391ec682ebc8aadb4af72b67749aec57e95162ea3776308ac1f5", shown.Digest);
    }

    [Theory]
    [InlineData("{}", "toolCall.arguments.x")]
    [InlineData("{\"x\":1}", "toolCall.arguments.x.y")]
    [InlineData("{\"x\":[]}", "toolCall.arguments.x.y")]
    [InlineData("{\"X\":1}", "toolCall.arguments.x")]
    public void What_is_not_there_is_absent_whether_shown_or_compared(string arguments, string path)
    {
        foreach (var asDigest in new[] { false, true })
        {
            var shown = Show(arguments, path, asDigest);
            Assert.Equal(("absent", "", ""), (shown.Kind, shown.Text, shown.Digest));
        }
    }

    [Fact]
    public void Without_a_tool_call_everything_is_absent_and_the_root_is_all_of_it()
    {
        ShownArgument[] show = [new("All", "toolCall.arguments", false), new("Deep", "toolCall.arguments.a.b", false)];

        Assert.Equal(["absent", "absent"], ShownValue.Of(show, null).Select(shown => shown.Kind));
        Assert.Equal(
            ["{\"a\":{\"b\":7}}", "7"],
            ShownValue.Of(show, new("t", Samples.Json("{\"a\":{\"b\":7}}"))).Select(shown => shown.Text)
        );
    }

    private static ShownValue Show(string arguments, string path, bool asDigest) =>
        Assert.Single(ShownValue.Of([new("X", path, asDigest)], new("t", Samples.Json(arguments))));
}
