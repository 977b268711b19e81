using System.Globalization;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Text;
using CredBroker.Testing;

namespace CredBroker.UnitTests.Text;

public sealed class CanonicalJsonTests
{
    /// <summary>RFC 8785, appendix B: doubles by their bits, and how they are written.</summary>
    [Theory]
    [InlineData(0x0000000000000000, "0")]
    [InlineData(0x8000000000000000, "0")]
    [InlineData(0x0000000000000001, "5e-324")]
    [InlineData(0x8000000000000001, "-5e-324")]
    [InlineData(0x7fefffffffffffff, "1.7976931348623157e+308")]
    [InlineData(0xffefffffffffffff, "-1.7976931348623157e+308")]
    [InlineData(0x4340000000000000, "9007199254740992")]
    [InlineData(0xc340000000000000, "-9007199254740992")]
    [InlineData(0x4430000000000000, "295147905179352830000")]
    [InlineData(0x44b52d02c7e14af5, "9.999999999999997e+22")]
    [InlineData(0x44b52d02c7e14af6, "1e+23")]
    [InlineData(0x44b52d02c7e14af7, "1.0000000000000001e+23")]
    [InlineData(0x444b1ae4d6e2ef4e, "999999999999999700000")]
    [InlineData(0x444b1ae4d6e2ef4f, "999999999999999900000")]
    [InlineData(0x444b1ae4d6e2ef50, "1e+21")]
    [InlineData(0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7")]
    [InlineData(0x3eb0c6f7a0b5ed8d, "0.000001")]
    [InlineData(0x41b3de4355555553, "333333333.3333332")]
    [InlineData(0x41b3de4355555554, "333333333.33333325")]
    [InlineData(0x41b3de4355555555, "333333333.3333333")]
    [InlineData(0x41b3de4355555556, "333333333.3333334")]
    [InlineData(0x41b3de4355555557, "333333333.33333343")]
    [InlineData(0xbecbf647612f3696, "-0.0000033333333333333333")]
    [InlineData(0x43143ff3c1cb0959, "1424953923781206.2")]
    public void A_number_is_written_as_ECMAScript_writes_it(ulong bits, string written)
    {
        var number = BitConverter.UInt64BitsToDouble(bits);
        // With 17 digits each double is written apart from its neighbours, though not as short as it can be.
        foreach (
            var text in new[]
            {
                number.ToString("E16", CultureInfo.InvariantCulture),
                number.ToString("R", CultureInfo.InvariantCulture),
                written,
            }
        )
        {
            Assert.Equal(written, Rfc(text));
        }
    }

    /// <summary>The samples in the RFC's text and in its authors' test data.</summary>
    [Theory]
    [InlineData(
        """
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """,
        """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"""
    )]
    [InlineData("""[56, { "d": true, "10": null, "1": [ ] } ]""", """[56,{"1":[],"10":null,"d":true}]""")]
    [InlineData(
        """
            { "1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { },
              "111": [ {"e": "yes","E": "no" } ], "A": { } }
            """,
        """{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}"""
    )]
    [InlineData(
        """{"peach":"This","péché":"is","pêche":"but","sin":"ignore locale"}""",
        """{"peach":"This","péché":"is","pêche":"but","sin":"ignore locale"}"""
    )]
    [InlineData("""{"Unnormalized Unicode":"A\u030a"}""", "{\"Unnormalized Unicode\":\"A\u030a\"}")]
    [InlineData(
        """
            {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
             "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control\u007f", "\u00f6": "Latin Small Letter O With Diaeresis"}
            """,
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\u007f\","
            + "\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\","
            + "\"\ud83d\ude00\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}"
    )]
    [InlineData("""["\u0000\u0008\u0009\u000c\u001f\u007f\u2028"]""", "[\"\\u0000\\b\\t\\f\\u001f\u007f\u2028\"]")]
    public void The_samples_of_RFC_8785_come_out_as_it_says(string given, string wanted) =>
        Assert.Equal(wanted, Rfc(given));

    [Theory]
    [InlineData("1", "1.0", "1e0", "10e-1", "0.1E+1")]
    [InlineData("0", "-0", "0.0", "0e99999999999", "-0e-5")]
    [InlineData("100", "1e2", "1E+2", "1000e-1")]
    [InlineData("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", " { \"b\" : 2e0 , \"\\u0061\" : 1 } ")]
    public void What_is_the_same_has_one_form(params string[] same) => Assert.Single(same.Select(Exact).Distinct());

    /// <summary>The RFC's form is of doubles; a decimal that a tool would read with all its digits is another amount.</summary>
    [Theory]
    [InlineData("9007199254740992", "9007199254740993")]
    [InlineData("100", "100.00000000000000000001")]
    [InlineData("333333333.3333333", "333333333.33333329")]
    [InlineData("5e-324", "4e-324")]
    [InlineData("0", "1e-400")]
    [InlineData("1e400", "1e401")]
    [InlineData("1e400", "-1e400")]
    [InlineData("1", "\"1\"")]
    [InlineData("null", "\"null\"")]
    [InlineData("{\"a\":[]}", "{\"a\":{}}")]
    [InlineData("[\"a\",\"b\"]", "[\"a\\\",\\\"b\"]")]
    [InlineData("[[1],2]", "[[1,2]]")]
    [InlineData("\"\u00c5\"", "\"A\u030a\"")]
    public void What_differs_has_two_forms(string one, string other) => Assert.NotEqual(Exact(one), Exact(other));

    [Fact]
    public void Where_each_number_is_a_double_the_exact_form_is_the_RFCs()
    {
        var dice = new Dice(1);
        for (var i = 0; i < 20_000; i++)
        {
            var bits = ((ulong)dice.Below(int.MaxValue) << 33) ^ ((ulong)dice.Below(int.MaxValue) << 11) ^ (ulong)i;
            var number = BitConverter.UInt64BitsToDouble(bits);
            if (double.IsFinite(number))
            {
                var written = Exact(number.ToString("R", CultureInfo.InvariantCulture));
                Assert.Equal(Rfc(number.ToString("E16", CultureInfo.InvariantCulture)), written);
                Assert.Equal(number, double.Parse(written, CultureInfo.InvariantCulture));
            }
        }
    }

    [Fact]
    public void Half_a_surrogate_pair_has_no_form()
    {
        Assert.ThrowsAny<Exception>(() => Exact("\"\\ud800\""));
        Assert.ThrowsAny<Exception>(() => Exact("{\"\\udc00\":1}"));
        Assert.Throws<ArgumentException>(() => Rfc("1e400"));
    }

    private static string Rfc(string json) => Encoding.UTF8.GetString(CanonicalJson.Rfc8785(Parsed(json)));

    private static string Exact(string json) => Encoding.UTF8.GetString(CanonicalJson.Exact(Parsed(json)));

    private static JsonElement Parsed(string json) => JsonDocument.Parse(json).RootElement;
}
