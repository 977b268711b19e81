using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Access;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.UnitTests.Dev;

public sealed class AccessControlTests
{
    [Theory]
    [InlineData("""path "a/b" { capabilities = ["read"] }""", "a/b", "Read")]
    [InlineData("""path "a/b" { capabilities = ["read"] }""", "a/b/c", "None")]
    [InlineData("""path "a/*" { capabilities = ["read"] }""", "a/b/c", "Read")]
    [InlineData("""path "a/*" { capabilities = ["read"] }""", "a", "None")]
    [InlineData("""path "a/b*" { capabilities = ["read"] }""", "a/bc/d", "Read")]
    [InlineData("""path "a/+/c" { capabilities = ["read"] }""", "a/b/c", "Read")]
    [InlineData("""path "a/+/c" { capabilities = ["read"] }""", "a/b/b/c", "None")]
    [InlineData("""path "+/b/*" { capabilities = ["read"] }""", "a/b/c/d", "Read")]
    [InlineData("""path "a/b" { capabilities = ["read", "deny"] }""", "a/b", "None")]
    [InlineData("""path "a/*" { capabilities = ["read"] } path "a/b" { capabilities = ["deny"] }""", "a/b", "None")]
    [InlineData("""path "a/*" { capabilities = ["deny"] } path "a/b" { capabilities = ["read"] }""", "a/b", "Read")]
    [InlineData(
        """path "a/*" { capabilities = ["read"] } path "a/+/c" { capabilities = ["update"] }""",
        "a/b/c",
        "Update"
    )]
    [InlineData(
        """path "a/+/c" { capabilities = ["update"] } path "a/b/*" { capabilities = ["read"] }""",
        "a/b/c",
        "Read"
    )]
    [InlineData(
        """path "a/b" { capabilities = ["read"] } path "a/b" { capabilities = ["update"] }""",
        "a/b",
        "Read, Update"
    )]
    [InlineData("""path "a/b" { capabilities = [] }""", "a/b", "None")]
    public void The_most_specific_pattern_counts_and_deny_wins(string policy, string path, string expected)
    {
        var access = new AccessControl([AclPolicy.Parse("p", policy, DateTimeOffset.UnixEpoch, 1)]);

        Assert.Equal(expected, access.On(path, listing: false).Capabilities.ToString());
    }

    [Fact]
    public void Policies_add_up_on_the_same_pattern()
    {
        var access = new AccessControl([
            Parse("""path "a" { capabilities = ["read"] }"""),
            Parse("""path "a" { capabilities = ["list"] }"""),
        ]);

        Assert.Equal(Capabilities.Read | Capabilities.List, access.On("a", listing: false).Capabilities);
    }

    [Fact]
    public void A_listing_matches_a_rule_without_the_closing_slash()
    {
        var access = new AccessControl([Parse("""path "a/b" { capabilities = ["list"] }""")]);

        Assert.Equal(Capabilities.List, access.On("a/b/", listing: true).Capabilities);
        Assert.Equal(Capabilities.None, access.On("a/b/", listing: false).Capabilities);
    }

    [Theory]
    [InlineData("path \"a\" {")]
    [InlineData("path \"a { capabilities = [] }")]
    [InlineData("path a { }")]
    [InlineData("rule \"a\" { }")]
    [InlineData("path \"a\" { capabilities = [\"fly\"] }")]
    [InlineData("path \"a\" { capabilities = [\"1\"] }")]
    [InlineData("path \"a\" { capabilities = [\"read\" \"list\"] }")]
    [InlineData("path \"a\" { capabilities }")]
    [InlineData("path \"a\" { control_group = [\"x\"] }")]
    [InlineData("path \"a\" { allowed_parameters = { \"x\" = 5 } }")]
    [InlineData("path \"a\" { allowed_parameters = [\"x\"] }")]
    [InlineData("path \"a\" { policy = \"all\" }")]
    [InlineData("/* open")]
    [InlineData("{\"path\":{\"a\":{\"capabilities\":5}}}")]
    [InlineData("{\"path\":5}")]
    public void A_policy_that_cannot_be_read_or_enforced_is_refused(string policy) =>
        Assert.Equal(400, Assert.Throws<DevVaultRefusal>(() => Parse(policy)).Status);

    [Theory]
    [InlineData("allowed_parameters = { \"ttl\" = [] }", """{"ttl":"1m"}""", true)]
    [InlineData("allowed_parameters = { \"ttl\" = [] }", """{}""", true)]
    [InlineData("allowed_parameters = { \"ttl\" = [] }", """{"ttl":"1m","policies":["root"]}""", false)]
    [InlineData("allowed_parameters = { \"ttl\" = [] }", """{"TTL":"1m"}""", true)]
    [InlineData(
        "allowed_parameters = { \"lease_id\" = [\"pki/sign/cb-*\"] }",
        """{"lease_id":"pki/sign/cb-x/1"}""",
        true
    )]
    [InlineData(
        "allowed_parameters = { \"lease_id\" = [\"pki/sign/cb-*\"] }",
        """{"lease_id":"pki/sign/other/1"}""",
        false
    )]
    [InlineData(
        "allowed_parameters = { \"lease_id\" = [\"pki/sign/cb-*\"] }",
        """{"lease_id":["pki/sign/cb-x/1"]}""",
        false
    )]
    [InlineData("allowed_parameters = { \"a\" = [\"1\"], \"*\" = [] }", """{"b":"2"}""", true)]
    [InlineData("denied_parameters = { \"no_parent\" = [] }", """{"no_parent":true}""", false)]
    [InlineData("denied_parameters = { \"type\" = [\"batch\"] }", """{"type":"service"}""", true)]
    [InlineData("denied_parameters = { \"*\" = [] }", """{"type":"service"}""", false)]
    [InlineData("required_parameters = [\"ttl\"]", """{"type":"service"}""", false)]
    [InlineData("required_parameters = [\"ttl\"]", """{"ttl":"1m"}""", true)]
    public void A_rule_bounds_the_parameters_of_a_write(string bounds, string body, bool expected)
    {
        var access = new AccessControl([Parse($$"""path "a" { capabilities = ["update"] {{bounds}} }""")]);

        Assert.Equal(expected, access.On("a", listing: false).Permits(JsonNode.Parse(body)!.AsObject()));
    }

    [Fact]
    public void Parameters_of_two_policies_on_the_same_pattern_add_up()
    {
        var access = new AccessControl([
            Parse("""path "a" { capabilities = ["update"] allowed_parameters = { "x" = ["1"] } }"""),
            Parse("""path "a" { capabilities = ["update"] allowed_parameters = { "x" = ["2"], "y" = [] } }"""),
        ]);

        Assert.True(access.On("a", listing: false).Permits(new JsonObject { ["x"] = "2", ["y"] = "any" }));
        Assert.False(access.On("a", listing: false).Permits(new JsonObject { ["x"] = "3" }));
    }

    [Theory]
    [InlineData("spiffe://a/*", "spiffe://a/b/c", true)]
    [InlineData("spiffe://a/*", "spiffe://ab/c", false)]
    [InlineData("*.example.com", "x.example.com", true)]
    [InlineData("a*b*c", "a1b2c", true)]
    [InlineData("a*b*c", "acb", false)]
    [InlineData("ab*ba", "aba", false)]
    [InlineData("a?c", "abc", false)]
    [InlineData("a", "a", true)]
    public void A_star_stands_for_anything_and_nothing_else_does(string pattern, string text, bool expected) =>
        Assert.Equal(expected, DevVaultText.Matches(pattern, text));

    [Theory]
    [InlineData("", 0)]
    [InlineData("90", 90)]
    [InlineData("90s", 90)]
    [InlineData("1h30m", 5400)]
    [InlineData("1.5m", 90)]
    [InlineData("2d", 172800)]
    [InlineData("-5", -5)]
    [InlineData("-1m", -60)]
    public void Durations_are_read_as_Vault_reads_them(string text, int seconds)
    {
        Assert.Null(DevVaultDuration.Fault(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData("1.5", "time: missing unit in duration \"1.5\"")]
    [InlineData("5x", "time: invalid duration \"5x\"")]
    [InlineData("m", "time: invalid duration \"m\"")]
    [InlineData("1 h", "time: invalid duration \"1 h\"")]
    [InlineData("1..5s", "time: invalid duration \"1..5s\"")]
    [InlineData("-", "time: invalid duration \"-\"")]
    public void What_is_no_duration_is_refused(string text, string fault) =>
        Assert.Equal(fault, DevVaultDuration.Fault(text, out _));

    [Theory]
    [InlineData("path \"secret/data/a\" { capabilities = [\"read\"] }", true)]
    [InlineData("path \"secret/data/a\" { capabilities = [\"deny\"] }", false)]
    [InlineData("path \"secret/*\" { capabilities = [\"deny\"] }", true)]
    [InlineData("path \"secr*\" { capabilities = [\"read\"] }", true)]
    [InlineData("path \"*\" { capabilities = [\"read\"] }", true)]
    [InlineData("path \"+/data/a\" { capabilities = [\"read\"] }", true)]
    [InlineData("path \"other/+/a\" { capabilities = [\"read\"] }", false)]
    [InlineData("path \"secrets/a\" { capabilities = [\"read\"] }", false)]
    [InlineData("path \"secret\" { capabilities = [\"read\"] }", false)]
    public void A_mount_is_reached_by_what_permits_or_may_match_below_it(string policy, bool expected) =>
        Assert.Equal(expected, new AccessControl([Parse(policy)]).Reaches("secret/"));

    private static AclPolicy Parse(string policy) => AclPolicy.Parse("p", policy, DateTimeOffset.UnixEpoch, 1);
}
