using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace CredBroker.UnitTests.Identity;

/// <summary>Whatever is sent, the verifier answers with a value; and only what was signed is accepted.</summary>
public sealed class TokenProperties : IDisposable
{
    private readonly IdentityFixture _fixture = new(TestToken.Now);

    public TokenProperties()
    {
        _fixture.With(
            new IssuerOptions
            {
                Issuer = TestToken.Issuer,
                Jwks = new() { File = _fixture.Write("jwks.json", TestKey.Jwks(TestKey.Ec.Jwk())) },
                WorkloadClaim = "azp",
                InstanceClaim = "/a/b",
                Claims = ["a", "azp"],
                RequiredClaims = [new() { Claim = "a" }],
            }
        );
        _fixture.With(
            new TrustDomainOptions
            {
                Name = "td",
                BundleFile = _fixture.Write("td.json", TestKey.Bundle(1, TestKey.Ec.Jwk("jwt-svid"))),
                PathTemplate = "/{workload}/{instance}",
            }
        );
    }

    public void Dispose() => _fixture.Dispose();

    [Property(MaxTest = 1000)]
    public bool Any_text_is_refused(string? text) => Refusal(text ?? "") is not null;

    [Property(MaxTest = 500)]
    public Property Any_three_parts_are_refused() =>
        Prop.ForAll(
            JsonText.Three().ToArbitrary(),
            parts =>
                Refusal(
                    $"{TestToken.Encode(parts.Item1)}.{TestToken.Encode(parts.Item2)}."
                        + TestToken.Encode(parts.Item3 + "x")
                )
                    is not null
        );

    [Property(MaxTest = 1500)]
    public Property Any_claims_under_a_good_signature_are_an_answer() =>
        Prop.ForAll(
            Claims.ToArbitrary(),
            claims =>
            {
                var outcome = Verify(TestToken.Raw(TestKey.Ec, claims));
                return outcome is VerificationOutcome.Refused { Refusal.Detail.Length: > 0 }
                    || IsFaithful(claims, ((VerificationOutcome.Verified)outcome).Identity);
            }
        );

    [Property(MaxTest = 1000)]
    public Property Any_header_under_a_good_signature_is_an_answer() =>
        Prop.ForAll(
            Headers.ToArbitrary(),
            header =>
                Verify(TestToken.Raw(TestKey.Ec, header, TestToken.OidcClaims("\"azp\":\"w\",\"a\":{\"b\":\"i\"},")))
                    is not null
        );

    [Property(MaxTest = 500)]
    public Property Any_character_changed_in_a_good_token_makes_it_a_bad_one()
    {
        var good = TestToken.Raw(TestKey.Ec, TestToken.OidcClaims("\"azp\":\"w\",\"a\":{\"b\":\"i\"},"));
        Assert.Null(Refusal(good));
        var change = Gen.Choose(0, good.Length - 1)
            .SelectMany(at => Gen.Elements("ABCxyz019-_.= \n\0é".ToCharArray()).Select(c => (At: at, Character: c)));
        return Prop.ForAll(
            change.ToArbitrary(),
            c => good[c.At] == c.Character || Refusal(good[..c.At] + c.Character + good[(c.At + 1)..]) is not null
        );
    }

    // An accepted token states what the identity says, and nothing was made up.
    private static bool IsFaithful(string claims, WorkloadIdentity identity)
    {
        using var document = JsonDocument.Parse(claims);
        var subject = document.RootElement.GetProperty("sub").GetString()!;
        var spiffe = subject.StartsWith("spiffe://td/", StringComparison.Ordinal);
        return identity.Subject == subject
            && identity.SpiffeId == (spiffe ? subject : "")
            && identity.Issuer == (spiffe ? "spiffe://td" : document.RootElement.GetProperty("iss").GetString())
            && (spiffe || identity.Workload == document.RootElement.GetProperty("azp").ToString())
            && !$"{identity.Subject}{identity.Workload}{identity.Instance}".Any(char.IsControl);
    }

    private Refusal? Refusal(string token) => (Verify(token) as VerificationOutcome.Refused)?.Refusal;

    private VerificationOutcome Verify(string token) => _fixture.VerifyAsync(token).AsTask().GetAwaiter().GetResult();

    private static Gen<string> JsonText =>
        Gen.Elements(
            "{}",
            "[]",
            "null",
            "{\"alg\":\"ES256\"}",
            "{\"alg\":\"ES256\",\"kid\":\"ec-1\"}",
            "{\"alg\":\"none\"}",
            "{\"sub\":\"spiffe://td/x\"}",
            "{\"iss\":\"https://issuer.example\"}",
            "",
            "x",
            "{",
            "\ufeff{}"
        );

    private static Gen<string> Headers =>
        Members(
            Gen.Elements("alg", "kid", "typ", "crit", "jwk", "x", "x5t", "cty"),
            Gen.Elements(
                "\"ES256\"",
                "\"ES256\"",
                "\"ec-1\"",
                "\"JWT\"",
                "null",
                "1",
                "[]",
                "{}",
                "\"none\"",
                "\"HS256\"",
                "true",
                "\"\"",
                "\"\\n\"",
                "1e400"
            )
        );

    // Near misses of good tokens: each registered claim usually right, sometimes anything.
    private static Gen<string> Claims =>
        from issuer in Mostly($"\"iss\":\"{TestToken.Issuer}\"", "iss")
        from subject in Gen.Frequency(
            (4, Gen.Constant("\"sub\":\"s\"")),
            (4, Gen.Constant("\"sub\":\"spiffe://td/a/b\"")),
            (1, Odd("sub"))
        )
        from audience in Mostly("\"aud\":[\"credbroker\"]", "aud")
        from issued in Mostly($"\"iat\":{TestToken.Seconds(0)}", "iat")
        from expires in Mostly($"\"exp\":{TestToken.Seconds(60)}", "exp")
        from workload in Mostly("\"azp\":\"w\"", "azp")
        from instance in Mostly("\"a\":{\"b\":\"i\"}", "a")
        from rest in Members(
            Gen.Elements("nbf", "jti", "sid", "act", "cnf", "realm_access", "b", "email_verified", "scope"),
            Value
        )
        let comma = rest.Length > 2 ? "," : ""
        select $"{{{issuer},{subject},{audience},{issued},{expires},{workload},{instance}{comma}{rest[1..]}";

    private static Gen<string> Mostly(string member, string name) =>
        Gen.Frequency((12, Gen.Constant(member)), (1, Odd(name)));

    private static Gen<string> Odd(string name) => Value.Select(value => $"\"{name}\":{value}");

    private static Gen<string> Members(Gen<string> names, Gen<string> values) =>
        names
            .Zip(values)
            .ListOf()
            .Select(members => $"{{{string.Join(',', members.Take(4).Select(m => $"\"{m.Item1}\":{m.Item2}"))}}}");

    private static Gen<string> Value =>
        Gen.Elements(
            "null",
            "true",
            "false",
            "0",
            "-1",
            "1.5",
            "1e308",
            "1e999",
            "9223372036854775807",
            "9223372036854775808",
            "123456789012345678901234567890",
            "253402300799",
            "\"\"",
            "\"x\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
            "\"\\u001b\"",
            "\"\\ud83d\\ude00\"",
            "\"spiffe://td/a/b\"",
            "\"SPIFFE://td/a\"",
            "\"credbroker\"",
            "[]",
            "{}",
            "[1,\"x\",null,{}]",
            "{\"b\":\"i\"}",
            "{\"b\":{\"c\":[]}}",
            "{\"a\":1,\"a\":2}",
            "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
            "01",
            "'x'",
            "undefined",
            "\"2026-01-01T00:00:00Z\"",
            "{\"b\":\"i\\n\"}"
        );
}
