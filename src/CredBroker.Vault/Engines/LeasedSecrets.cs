using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Vault.Http;

namespace CredBroker.Vault.Engines;

/// <summary>Mints a database user, or the leased secret with which any other engine answers a path.</summary>
internal static class LeasedSecrets
{
    public static VaultCall Call(VaultBinding binding, SecretText token, TimeSpan timeout) =>
        binding is VaultBinding.Dynamic { Method: "POST" }
            ? new(HttpMethod.Post, VaultPaths.Mint(binding))
            {
                Token = token,
                Body = "{}"u8.ToArray(),
                Timeout = timeout,
            }
            : new(HttpMethod.Get, VaultPaths.Mint(binding)) { Token = token, Timeout = timeout };

    /// <param name="plan">What was asked for.</param>
    /// <param name="body">Vault's answer.</param>
    /// <param name="asked">When it was asked: Vault's lease began no earlier.</param>
    /// <param name="answered">When it answered: Vault's lease began no later.</param>
    public static MintOutcome Read(IssuancePlan plan, VaultBody body, DateTimeOffset asked, DateTimeOffset answered)
    {
        var isDatabase = plan.Grant.Entry.Vault is VaultBinding.Database;
        var handles = new SecretHandles(
            body.LeaseId is { Length: > 0 } id ? id : null,
            null,
            isDatabase ? body.Text("username") ?? "" : ""
        );
        if (
            handles.VaultLeaseId is not { } leaseId
            || !leaseId.StartsWith(VaultPaths.Mint(plan.Grant.Entry.Vault) + "/", StringComparison.Ordinal)
        )
        {
            return Wrong(
                "Vault gave the secret no lease under its own path, so it could not be revoked; it was not delivered.",
                handles
            );
        }

        IssuedSecret? secret = plan.Grant.Entry switch
        {
            { Vault: VaultBinding.Database } entry
                when handles.PublicName.Length > 0 && body.Text("password") is { Length: > 0 } password =>
                new IssuedSecret.Database(handles.PublicName, new SecretText(password), entry.Connection),
            { Vault: VaultBinding.Dynamic } when body.Data.ValueKind == System.Text.Json.JsonValueKind.Object =>
                new IssuedSecret.Values(new SecretText(body.Data.GetRawText())),
            _ => null,
        };
        var life = TimeSpan.FromSeconds(body.LeaseDuration);
        return secret is not null && life > TimeSpan.Zero
            ? new MintOutcome.Minted(secret, handles, asked + life, answered + life)
            : Wrong(
                "Vault's answer does not hold the secret that was asked for; it is not delivered, and is being revoked.",
                handles
            );
    }

    private static MintOutcome.Wrong Wrong(string detail, SecretHandles handles) =>
        new(new Refusal(RefusalCode.SecretNotAsAsked, detail), handles);
}
