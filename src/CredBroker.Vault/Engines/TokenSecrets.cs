using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Vault.Http;

namespace CredBroker.Vault.Engines;

/// <summary>
/// Mints a credential that is itself a Vault token: a child of the child token, so that it dies with it, made by the
/// entry's own token role. It has no lease id; its accessor is its handle.
/// </summary>
internal static class TokenSecrets
{
    public static VaultCall Call(IssuancePlan plan, VaultBinding.Token binding, SecretText token, TimeSpan timeout) =>
        new(HttpMethod.Post, VaultPaths.Mint(binding))
        {
            Body = VaultBodies.Of(ChildTokens.Request(plan, plan.Grant.Ttl), VaultJson.Default.TokenRequest),
            Token = token,
            Timeout = timeout,
        };

    public static MintOutcome Read(
        IssuancePlan plan,
        VaultBody body,
        DateTimeOffset asked,
        string address,
        string vaultNamespace
    )
    {
        var handles = new SecretHandles(
            body.LeaseId is { Length: > 0 } leaseId ? leaseId : null,
            body.Auth?.Accessor is { Length: > 0 } accessor ? accessor : null,
            ""
        );
        if (body.Auth is not { ClientToken: { Length: > 0 } value } auth || handles.CredentialAccessor is null)
        {
            return Wrong(
                "Vault made a token without an accessor, which nobody could revoke; it was not delivered.",
                handles
            );
        }

        if (auth.Orphan is true)
        {
            return Wrong(
                "Vault made an orphan token, which would outlive its parent; it is not delivered, and is being revoked.",
                handles
            );
        }

        if (auth.TokenPolicies is { } policies && policies.Contains("root"))
        {
            return Wrong("Vault made a root token; it is not delivered, and is being revoked.", handles);
        }

        var life = TimeSpan.FromSeconds(auth.LeaseDuration);
        if (life <= TimeSpan.Zero || life > plan.Grant.Ttl + TimeSpan.FromSeconds(1))
        {
            return Wrong(
                "Vault made a token of another life than was asked for; it is not delivered, and is being revoked.",
                handles
            );
        }

        // The only backend that accepts it is Vault itself, which ends it on time: there is no grace beyond its own
        // end.
        var secret = new IssuedSecret.Token(
            new SecretText(value),
            plan.Grant.Entry.Address is { Length: > 0 } told ? told : address,
            vaultNamespace
        );
        return new MintOutcome.Minted(secret, handles, asked + life, asked + life);
    }

    private static MintOutcome.Wrong Wrong(string detail, SecretHandles handles) =>
        new(new Refusal(RefusalCode.SecretNotAsAsked, detail), handles);
}
