using System.Text;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>The strict reading that comes before the token library.</summary>
public sealed class CompactJwsTests
{
    private const string Header = """{"alg":"RS256"}""";
    private const string Payload = """{"sub":"x"}""";
    private static readonly string Signature = TestToken.Encode("signature");

    [Fact]
    public void A_compact_JWS_is_its_header_its_claims_and_a_signature()
    {
        Assert.True(
            CompactJws.TryRead(
                Compact("""{"alg":"PS256","kid":"k","typ":"JWT","x5t":"ignored"}""", Payload),
                out var token,
                out _
            )
        );
        using (token)
        {
            Assert.Equal(
                ("PS256", "k", "JWT", "signature".Length),
                (token.Algorithm, token.KeyId, token.Type, token.SignatureLength)
            );
            Assert.Equal("x", token.Claims.GetProperty("sub").GetString());
            Assert.Equal("[token]", token.ToString());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a")]
    [InlineData("a.b")]
    [InlineData("a.b.c.d")]
    [InlineData("a.b.c.d.e.f.g.h")]
    public void Anything_but_three_parts_is_refused(string text) => Refuse(RefusalCode.TokenMalformed, text);

    [Fact]
    public void An_encrypted_token_is_refused_by_name()
    {
        var refusal = Refuse(
            RefusalCode.TokenMalformed,
            $"{TestToken.Encode("""{"alg":"RSA-OAEP","enc":"A256GCM"}""")}.a.b.c.d"
        );
        Assert.Contains("JWE", refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_JSON_serialization_of_a_JWS_is_refused() =>
        Refuse(
            RefusalCode.TokenMalformed,
            $$"""{"payload":"{{TestToken.Encode(Payload)}}","protected":"{{TestToken.Encode(Header)}}","signature":"AA"}"""
        );

    [Fact]
    public void A_token_without_a_signature_is_refused() =>
        Refuse(RefusalCode.TokenMalformed, $"{TestToken.Encode(Header)}.{TestToken.Encode(Payload)}.");

    [Theory]
    [InlineData("=")]
    [InlineData("==")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\0")]
    [InlineData("+")]
    [InlineData("/")]
    [InlineData("%3D")]
    [InlineData("\u00e9")]
    [InlineData("\ud800")]
    public void Each_part_is_base64url_and_nothing_else(string stray)
    {
        string[] parts = [TestToken.Encode(Header), TestToken.Encode(Payload), Signature];
        for (var i = 0; i < 3; i++)
        {
            var part = parts[i];
            Refuse(RefusalCode.TokenMalformed, string.Join('.', parts.Select((p, at) => at == i ? p + stray : p)));
            Refuse(RefusalCode.TokenMalformed, string.Join('.', parts.Select((p, at) => at == i ? stray + p : p)));
            Refuse(
                RefusalCode.TokenMalformed,
                string.Join('.', parts.Select((p, at) => at == i ? part[..2] + stray + part[2..] : p))
            );
        }
    }

    [Fact]
    public void A_second_spelling_of_the_same_bytes_is_refused()
    {
        // "QQ" and "QR" both decode to 'A' where spare bits are ignored.
        var part = TestToken.Encode("""{"sub":"xyzw"}""");
        Assert.Equal(3, part.Length % 4);
        var last = part[^1];
        Refuse(RefusalCode.TokenMalformed, $"{TestToken.Encode(Header)}.{part[..^1]}{(char)(last + 1)}.{Signature}");
        Refuse(RefusalCode.TokenMalformed, $"{TestToken.Encode(Header)}.{TestToken.Encode(Payload)}.QR");
        Refuse(RefusalCode.TokenMalformed, $"{TestToken.Encode(Header)}.{TestToken.Encode(Payload)}.QQQQQ");
    }

    [Fact]
    public void A_token_at_the_size_cap_is_read_and_one_beyond_is_refused()
    {
        var shortest = Compact(Header, """{"sub":""}""");
        for (var filler = (CompactJws.MaxLength - shortest.Length) * 3 / 4 - 4; ; filler++)
        {
            var text = Compact(Header, $$"""{"sub":"{{new string('a', filler)}}"}""");
            if (text.Length > CompactJws.MaxLength)
            {
                Refuse(RefusalCode.TokenTooLarge, text);
                return;
            }

            Assert.True(CompactJws.TryRead(text, out var token, out _));
            token.Dispose();
        }
    }

    [Theory]
    [InlineData("crit", """["exp"]""")]
    [InlineData("crit", "[]")]
    [InlineData("crit", "null")]
    [InlineData("b64", "false")]
    [InlineData("enc", "\"A256GCM\"")]
    [InlineData("zip", "\"DEF\"")]
    [InlineData("jku", "\"https://attacker.example/jwks.json\"")]
    [InlineData("jwk", """{"kty":"RSA"}""")]
    [InlineData("x5u", "\"https://attacker.example/cert.pem\"")]
    [InlineData("x5c", """["MIIB"]""")]
    public void A_header_that_changes_the_rules_or_brings_a_key_is_refused(string name, string value)
    {
        Refuse(RefusalCode.HeaderNotAccepted, Compact($$"""{"alg":"RS256","{{name}}":{{value}}}""", Payload));
        // The same member, spelt with an escape.
        Refuse(
            RefusalCode.HeaderNotAccepted,
            Compact($$"""{"alg":"RS256","\u00{{(int)name[0]:x2}}{{name[1..]}}":{{value}}}""", Payload)
        );
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"alg":null}""")]
    [InlineData("""{"alg":1}""")]
    [InlineData("""{"alg":["RS256"]}""")]
    [InlineData("""{"Alg":"RS256"}""")]
    [InlineData("""{"alg":"RS256","typ":1}""")]
    [InlineData("""{"alg":"RS256","kid":1}""")]
    [InlineData("""{"alg":"RS256","kid":null}""")]
    [InlineData("""{"alg":"RS256","kid":["k"]}""")]
    [InlineData("""{"alg":"RS256","kid":""}""")]
    [InlineData("""{"alg":"RS256","kid":"a\nb"}""")]
    [InlineData("""{"alg":"RS256","alg":"none"}""")]
    [InlineData("""{"alg":"none","\u0061lg":"RS256"}""")]
    [InlineData("""["RS256"]""")]
    [InlineData("\"RS256\"")]
    [InlineData("null")]
    [InlineData("""{"alg":"RS256"} """ + "\u0001")]
    [InlineData("""{"alg":"RS256"}{}""")]
    [InlineData("""{"alg":"RS256",}""")]
    [InlineData("""{"alg":"RS256"/**/}""")]
    [InlineData("""{'alg':'RS256'}""")]
    [InlineData("\ufeff{\"alg\":\"RS256\"}")]
    public void A_header_that_is_not_plain_JSON_with_an_alg_is_refused(string header) =>
        Refuse(RefusalCode.TokenMalformed, Compact(header, Payload));

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"sub":"x" """)]
    [InlineData("""{"sub":"a","sub":"b"}""")]
    [InlineData("""{"sub":"a","s\u0075b":"b"}""")]
    [InlineData("""{"deep":{"er":[{"a":1,"a":2}]}}""")]
    [InlineData("""{"a":NaN}""")]
    [InlineData("""{"a":01}""")]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"a":"\ud800\u0041"}""")]
    [InlineData("""{"a":"\udc00"}""")]
    [InlineData("""{"a":"\udc00\ud800"}""")]
    [InlineData("""{"a":"\ud800\\udc00"}""")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("""{"a":"\u0000"}""")]
    [InlineData("""{"a\u0000":1}""")]
    [InlineData("""{"a":"\u12"}""")]
    [InlineData("""{"a":"\""")]
    [InlineData("""{"a":"\x41"}""")]
    public void A_payload_that_two_readers_could_understand_differently_is_refused(string payload) =>
        Refuse(RefusalCode.TokenMalformed, Compact(Header, payload));

    [Theory]
    [InlineData("""{"a":"\ud83d\ude00 \\u0000 \u00e9 \n"}""")]
    [InlineData("""{"a":"\\\ud83d\ude00"}""")]
    [InlineData("""{ "a" : [ { "b" : { } } , 1e3 ] }""")]
    public void Unusual_but_unambiguous_JSON_is_read(string payload)
    {
        Assert.True(CompactJws.TryRead(Compact(Header, payload), out var token, out _));
        token.Dispose();
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_are_refused()
    {
        byte[] latin = [.. Encoding.ASCII.GetBytes("{\"sub\":\""), 0xE9, .. Encoding.ASCII.GetBytes("\"}")];
        byte[] overlong = [.. Encoding.ASCII.GetBytes("{\"sub\":\""), 0xC0, 0xAF, .. Encoding.ASCII.GetBytes("\"}")];
        Refuse(
            RefusalCode.TokenMalformed,
            $"{TestToken.Encode(Header)}.{System.Buffers.Text.Base64Url.EncodeToString(latin)}.{Signature}"
        );
        Refuse(
            RefusalCode.TokenMalformed,
            $"{TestToken.Encode(Header)}.{System.Buffers.Text.Base64Url.EncodeToString(overlong)}.{Signature}"
        );
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    [InlineData(5_000, false)]
    public void JSON_is_read_to_a_depth_of_16(int depth, bool read)
    {
        var nested = new string('[', depth - 1) + new string(']', depth - 1);
        Assert.Equal(read, CompactJws.TryRead(Compact(Header, $$"""{"a":{{nested}}}"""), out var token, out _));
        token?.Dispose();
        var objects = string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "1" + new string('}', depth - 1);
        Assert.Equal(read, CompactJws.TryRead(Compact(Header, $$"""{"a":{{objects}}}"""), out token, out _));
        token?.Dispose();
    }

    [Fact]
    public void A_kid_has_at_most_256_characters()
    {
        Assert.True(
            CompactJws.TryRead(
                Compact($$"""{"alg":"RS256","kid":"{{new string('k', 256)}}"}""", Payload),
                out var token,
                out _
            )
        );
        token.Dispose();
        Refuse(RefusalCode.TokenMalformed, Compact($$"""{"alg":"RS256","kid":"{{new string('k', 257)}}"}""", Payload));
    }

    [Theory]
    [InlineData("""{"sub":"a","sub":"b"}""", "payload has the member 'sub' twice")]
    [InlineData("""{"act":{"x":1,"\u0078":2}}""", "payload has the member 'x' twice")]
    [InlineData("""{"a b":1,"a b":2}""", "payload has a member twice")]
    [InlineData("""{"iss":"\ud800"}""", "payload holds half of a surrogate pair (at the member 'iss' or after it)")]
    [InlineData("""{"iss":"x\u0000"}""", "payload holds the character U+0000 (at the member 'iss' or after it)")]
    [InlineData("""{"iss":"x","sub":01}""", "payload is no JSON, or nested deeper than 16 levels (at the member 'sub'")]
    [InlineData("[]", "payload is no object")]
    [InlineData("1", "payload is no object")]
    [InlineData("", "payload is not base64url")]
    public void A_refused_payload_is_told_by_its_member(string payload, string told) =>
        Assert.Contains(
            told,
            Refuse(RefusalCode.TokenMalformed, Compact(Header, payload)).Detail,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("""{"alg":"RS256","alg":"none"}""", "header has the member 'alg' twice")]
    [InlineData("""{"alg":["RS256"]}""", "header has no 'alg' that is a text")]
    [InlineData("""{"alg":"RS256","typ":1}""", "header's 'typ' is no text")]
    [InlineData("""{"alg":"RS256","kid":1}""", "header's 'kid' is not a text")]
    public void A_refused_header_is_told_by_its_member(string header, string told) =>
        Assert.Contains(
            told,
            Refuse(RefusalCode.TokenMalformed, Compact(header, Payload)).Detail,
            StringComparison.Ordinal
        );

    private static string Compact(string header, string payload) =>
        $"{TestToken.Encode(header)}.{TestToken.Encode(payload)}.{Signature}";

    private static Refusal Refuse(RefusalCode code, string text)
    {
        Assert.False(CompactJws.TryRead(text, out var token, out var refusal));
        Assert.Null(token);
        Assert.Equal(code, refusal.Code);
        return refusal;
    }
}
