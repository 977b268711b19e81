using System.Text;
using CredBroker.Server.Endpoints.Input;
using FsCheck;
using FsCheck.Xunit;

namespace CredBroker.UnitTests.Server;

public sealed class RequestJsonTests
{
    [Theory]
    [InlineData("""{"a":"plain","b":[1,-2,3.5e3,true,null]}""")]
    [InlineData("""{"a":"héllo \ud83d\ude00 \"quoted\" \\ /"}""")]
    [InlineData("""{"csr":"-----BEGIN X-----\nabc\r\n-----END X-----\n"}""")]
    [InlineData(
        """{"toolCall":{"name":"mail","arguments":{"body":"two\nlines","list":["a\tb"],"deep":{"text":"x\ny"}}}}"""
    )]
    [InlineData("""{"action":{"name":"mail","properties":{"body":"two\nlines","deep":["a\tb"]}}}""")]
    [InlineData("""{"n":[9007199254740992,-9007199254740992,0.1,-0]}""")]
    public void Ordinary_json_is_accepted(string json) => Assert.Null(Fault(json));

    [Theory]
    [InlineData("""{"a":"\u0000"}""")]
    [InlineData("""{"a":"bell\u0007"}""")]
    [InlineData("""{"a":"two\nlines"}""")]
    [InlineData("""{"a":"tab\t"}""")]
    [InlineData("""{"a":"\u007f"}""")]
    [InlineData("{\"a\":\"\u007f\"}")]
    [InlineData("{\"a\":\"\u0085\"}")]
    [InlineData("""{"a":"\u009b31m"}""")]
    [InlineData("""{"na\u0000me":1}""")]
    [InlineData("""{"csr":"\u0000"}""")]
    [InlineData("""{"csr":"a\u001bb"}""")]
    [InlineData("""{"toolCall":{"arguments":{"ke\ny":1}}}""")]
    [InlineData("""{"toolCall":{"arguments":{"a":1},"name":"two\nlines"}}""")]
    public void Control_characters_are_refused(string json) =>
        Assert.Contains("control character", Fault(json), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"a":"\udc00x"}""")]
    [InlineData("""{"toolCall":{"arguments":{"a":"\ud83d"}}}""")]
    public void Lone_surrogates_are_refused(string json) =>
        Assert.Contains("lone surrogate", Fault(json), StringComparison.Ordinal);

    [Fact]
    public void Bytes_that_are_no_utf8_are_refused() =>
        Assert.NotNull(RequestJson.Fault([.. "{\"a\":\""u8, 0xC3, 0x28, .. "\"}"u8]));

    [Theory]
    [InlineData("9007199254740993")]
    [InlineData("-9007199254740993")]
    [InlineData("9007199254740993.0")]
    [InlineData("99999999999999999999999999")]
    [InlineData("1e300")]
    [InlineData("1e400")]
    [InlineData("-1E17")]
    public void Numbers_beyond_2_to_53_are_refused(string number) =>
        Assert.Contains(
            "2^53",
            Fault("""{"toolCall":{"arguments":{"amount":""" + number + "}}}"),
            StringComparison.Ordinal
        );

    [Fact]
    public void Nesting_is_capped_where_the_cap_says()
    {
        Assert.Null(Fault(Nested(RequestJson.MaxDepth)));
        Assert.NotNull(Fault(Nested(RequestJson.MaxDepth + 1)));
        Assert.NotNull(Fault(Nested(20_000)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("""{"a":1,}""")]
    [InlineData("""{"a":1/*c*/}""")]
    [InlineData("""{'a':1}""")]
    [InlineData("""{"a":01}""")]
    [InlineData("""{"a":NaN}""")]
    [InlineData("\uFEFF{}")]
    public void What_is_no_json_is_refused(string text) => Assert.NotNull(Fault(text));

    [Property]
    public void Any_bytes_are_judged_without_an_exception(byte[] bytes) => _ = RequestJson.Fault(bytes);

    [Property]
    public bool Any_text_is_accepted_exactly_if_it_holds_no_control_character_and_no_lone_surrogate(string? text)
    {
        text ??= "";
        var escaped = string.Concat(text.Select(c => $"\\u{(int)c:x4}"));
        var clean = !text.Any(char.IsControl) && Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text;
        return clean == Fault($$"""{"a":"{{escaped}}"}""") is null;
    }

    private static string Nested(int depth) => new string('[', depth) + new string(']', depth);

    private static string? Fault(string json) => RequestJson.Fault(Encoding.UTF8.GetBytes(json));
}
