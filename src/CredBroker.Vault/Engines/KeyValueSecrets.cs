using System.Globalization;
using System.Text.Json;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Vault.Http;

namespace CredBroker.Vault.Engines;

/// <summary>
/// Reads a static value of KV version 2, where Mint makes nothing: one read with the broker's own token, with the lease
/// id in a request header that Vault audits.
/// </summary>
internal static class KeyValueSecrets
{
    public static VaultCall Call(IssuancePlan plan, VaultBinding.KeyValue kv, TimeSpan timeout) =>
        new(HttpMethod.Get, VaultPaths.Mint(kv)) { LeaseId = plan.LeaseId, Timeout = timeout };

    public static MintOutcome Read(VaultBinding.KeyValue kv, VaultBody body)
    {
        if (body.LeaseId is { Length: > 0 } leaseId)
        {
            return new MintOutcome.Wrong(
                new(
                    RefusalCode.SecretNotAsAsked,
                    "The path answers with a lease, so it is no KV value; what was made is not delivered, and is being revoked."
                ),
                new(leaseId, null, "")
            );
        }

        if (
            body.Data.ValueKind != JsonValueKind.Object
            || !body.Data.TryGetProperty("data", out var data)
            || data.ValueKind != JsonValueKind.Object
        )
        {
            return new MintOutcome.Refused(VaultRefusals.Missing);
        }

        var version =
            body.Data.TryGetProperty("metadata", out var metadata)
            && metadata.ValueKind == JsonValueKind.Object
            && metadata.TryGetProperty("version", out var number)
            && number.TryGetInt64(out var value)
                ? value
                : 0;
        var publicName = string.Create(CultureInfo.InvariantCulture, $"{kv.Mount}/{kv.Path} version {version}");
        return new MintOutcome.Minted(
            new IssuedSecret.Values(new SecretText(data.GetRawText())),
            new(null, null, publicName),
            null,
            null
        );
    }
}
