using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Core.Identity.Verification;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

public sealed class TrustBundleTests
{
    [Theory]
    [InlineData("agents.example.bundle.json", 1, 1, 1UL)]
    [InlineData("agents.example.rotating.bundle.json", 2, 2, 3UL)]
    [InlineData("agents.example.rotated.bundle.json", 1, 1, 7UL)]
    [InlineData("partner.example.bundle.json", 1, 1, 1UL)]
    [InlineData("partner.example.rotating.bundle.json", 2, 2, 3UL)]
    [InlineData("partner.example.rotated.bundle.json", 1, 1, 7UL)]
    public void Real_bundles_give_their_authorities_and_sequence(string file, int jwtKeys, int x509, ulong sequence)
    {
        Assert.True(TrustBundle.TryRead(Vector.Bytes($"spire/{file}"), out var bundle, out _));
        Assert.Equal(jwtKeys, bundle.JwtKeys.Keys.Count);
        Assert.Equal(x509, bundle.X509Authorities.Count);
        Assert.Equal(sequence, bundle.Sequence);
        Assert.Equal(TimeSpan.FromMinutes(5), bundle.RefreshHint);
        Assert.Empty(bundle.Skipped);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("sig")]
    [InlineData("enc")]
    [InlineData("wit-svid")]
    [InlineData("JWT-SVID")]
    public void Entries_with_a_missing_or_unknown_use_are_ignored(string? use)
    {
        var bundle = Read(TestKey.Bundle(1, TestKey.Rsa.Jwk(use), TestKey.Ec.Jwk("jwt-svid")));
        Assert.Equal("ec-1", Assert.Single(bundle.JwtKeys.Keys).KeyId);
        Assert.Single(bundle.Skipped);
    }

    [Fact]
    public void Entries_with_an_unknown_kty_are_ignored()
    {
        var odd = new JsonObject
        {
            ["kty"] = "OKP",
            ["use"] = "jwt-svid",
            ["kid"] = "x",
        };
        Assert.Single(Read(TestKey.Bundle(1, odd, TestKey.Rsa.Jwk("jwt-svid"))).JwtKeys.Keys);
    }

    [Fact]
    public void A_jwt_svid_key_needs_a_kid()
    {
        var nameless = TestKey.Rsa.Jwk("jwt-svid");
        nameless.Remove("kid");
        var bundle = Read(TestKey.Bundle(1, nameless));
        Assert.Empty(bundle.JwtKeys.Keys);
        Assert.Equal("entry 0: a jwt-svid key needs a kid", Assert.Single(bundle.Skipped));
    }

    [Fact]
    public void An_x509_svid_key_never_verifies_JWT_SVIDs()
    {
        var bundle = Read(TestKey.Bundle(1, TestKey.Rsa.Jwk("x509-svid")));
        Assert.Empty(bundle.JwtKeys.Keys);
        Assert.Equal("entry 0: its x5c does not begin with one certificate", Assert.Single(bundle.Skipped));
    }

    [Fact]
    public void The_first_certificate_of_x5c_is_the_authority()
    {
        var one = JsonNode.Parse(Vector.Bytes("spire/agents.example.bundle.json"))!["keys"]![0]!.AsObject();
        var other = JsonNode.Parse(Vector.Bytes("spire/partner.example.bundle.json"))!["keys"]![0]!.AsObject();
        one["x5c"]!.AsArray().Add(other["x5c"]![0]!.DeepClone());
        var authority = Assert.Single(Read(TestKey.Bundle(1, (JsonObject)one.DeepClone())).X509Authorities);
        Assert.Equal("1.2.840.10045.2.1", authority.PublicKey.Oid.Value);

        one["x5c"] = new JsonArray("not base64");
        Assert.Empty(Read(TestKey.Bundle(1, (JsonObject)one.DeepClone())).X509Authorities);
        one["x5c"] = new JsonArray("AAAA");
        Assert.Empty(Read(TestKey.Bundle(1, (JsonObject)one.DeepClone())).X509Authorities);
        one["x5c"] = new JsonArray();
        Assert.Empty(Read(TestKey.Bundle(1, (JsonObject)one.DeepClone())).X509Authorities);
    }

    [Fact]
    public void The_refresh_hint_is_five_minutes_unless_the_bundle_says_otherwise()
    {
        Assert.Equal(TimeSpan.FromSeconds(300), Read("""{"keys":[]}""").RefreshHint);
        Assert.Equal(TimeSpan.FromSeconds(60), Read("""{"keys":[],"spiffe_refresh_hint":60}""").RefreshHint);
        Assert.Equal(TimeSpan.FromSeconds(1), Read("""{"keys":[],"spiffe_refresh_hint":0}""").RefreshHint);
        Assert.Equal(
            TimeSpan.FromDays(1),
            Read("""{"keys":[],"spiffe_refresh_hint":18446744073709551615}""").RefreshHint
        );
    }

    [Theory]
    [InlineData("""{"keys":[],"spiffe_sequence":-1}""")]
    [InlineData("""{"keys":[],"spiffe_sequence":1.5}""")]
    [InlineData("""{"keys":[],"spiffe_sequence":"1"}""")]
    [InlineData("""{"keys":[],"spiffe_refresh_hint":-5}""")]
    [InlineData("""{"keys":[],"spiffe_refresh_hint":"60"}""")]
    [InlineData("""{"keys":[],"spiffe_sequence":1,"spiffe_sequence":2}""")]
    [InlineData("""{"spiffe_sequence":1}""")]
    [InlineData("not json")]
    public void A_document_that_is_no_bundle_is_a_fault(string text)
    {
        Assert.False(TrustBundle.TryRead(Encoding.UTF8.GetBytes(text), out _, out var fault));
        Assert.NotEmpty(fault);
    }

    [Theory]
    [InlineData(null, null, true)]
    [InlineData(null, 5UL, true)]
    [InlineData(5UL, 6UL, true)]
    [InlineData(5UL, 5UL, true)]
    [InlineData(5UL, 4UL, false)]
    [InlineData(5UL, null, false)]
    public void The_sequence_never_goes_back(ulong? current, ulong? next, bool accepted)
    {
        Assert.Equal(accepted, Read(TestKey.Bundle(next)).MaySucceed(Read(TestKey.Bundle(current)), out var fault));
        Assert.Equal(accepted, fault is null);
        Assert.True(Read(TestKey.Bundle(next)).MaySucceed(null, out _));
    }

    private static TrustBundle Read(string json)
    {
        Assert.True(TrustBundle.TryRead(Encoding.UTF8.GetBytes(json), out var bundle, out var fault), fault);
        return bundle;
    }
}
