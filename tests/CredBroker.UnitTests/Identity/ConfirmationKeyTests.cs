using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.State;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Identity;

/// <summary>The key that an identity is bound to: how it is stored, and where it tells callers apart.</summary>
public sealed class ConfirmationKeyTests
{
    private const string Thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

    /// <summary>The whole identity of a stored record, as brokers without such keys have written it.</summary>
    private const string Before =
        """
            "identity":{"proof":"oidc","issuer":"https://idp.example","subject":"sub-1","workload":"triage","instance":"i-1","spiffeId":"",
            """
        + """
            "trustDomain":"acme.example","claims":{"azp":"triage","roles":[1,{"\u00E4":null}]},"proofExpiresAt":"2000-01-01T00:05:00+00:00","proofHash":"hash"}
            """;

    private static readonly DecisionRecord Bearers = new StoreSamples(new FakeTimeProvider()).Decision();

    [Fact]
    public void A_bearers_record_is_written_as_it_was_before_there_were_such_keys()
    {
        var text = Write(Bearers);
        Assert.Contains(Before, text, StringComparison.Ordinal);
        Assert.Null(Read(text).Identity.ConfirmationKey);
        Assert.Equal(text, Write(Read(text)));
    }

    [Theory]
    [InlineData(ConfirmationKeyKind.Jwk, "jwk")]
    [InlineData(ConfirmationKeyKind.Certificate, "certificate")]
    public void A_key_is_stored_by_kind_and_thumbprint(ConfirmationKeyKind kind, string written)
    {
        var key = new ConfirmationKey(kind, Thumbprint);
        var text = Write(Bearers with { Identity = Bearers.Identity with { ConfirmationKey = key } });
        Assert.Contains(
            $$"""
            "confirmationKey":{"kind":"{{written}}","thumbprint":"{{Thumbprint}}"}
            """,
            text,
            StringComparison.Ordinal
        );
        Assert.Equal(key, Read(text).Identity.ConfirmationKey);
    }

    [Fact]
    public void A_caller_with_a_new_key_is_the_same_caller_but_not_the_same_proof()
    {
        var before = Bearers.Identity with { ConfirmationKey = new(ConfirmationKeyKind.Jwk, Thumbprint) };
        var after = before with { ConfirmationKey = new(ConfirmationKeyKind.Jwk, new string('A', 43)) };
        Assert.True(before.IsSameCaller(after));
        Assert.True(before.IsSameCaller(Bearers.Identity));
        Assert.NotEqual(before, after);
        Assert.NotEqual(before, Bearers.Identity);
    }

    private static string Write(DecisionRecord record) =>
        JsonSerializer.Serialize(record, StateJson.Default.DecisionRecord);

    private static DecisionRecord Read(string text) =>
        JsonSerializer.Deserialize(text, StateJson.Default.DecisionRecord)!;
}
