namespace CredBroker.Vault.Http;

/// <summary>Calls about a token that is named by its accessor; the accessor travels in the body.</summary>
internal static class AccessorCalls
{
    public static VaultCall Revoke(string accessor, TimeSpan timeout) =>
        new(HttpMethod.Post, "auth/token/revoke-accessor") { Body = Body(accessor), Timeout = timeout };

    public static VaultCall Lookup(string accessor, TimeSpan timeout) =>
        new(HttpMethod.Post, "auth/token/lookup-accessor") { Body = Body(accessor), Timeout = timeout };

    public static VaultCall Renew(string accessor, TimeSpan ttl, TimeSpan timeout) =>
        new(HttpMethod.Post, "auth/token/renew-accessor")
        {
            Body = VaultBodies.Of(
                new RenewAccessorRequest(accessor, VaultBodies.Ttl(ttl)),
                VaultJson.Default.RenewAccessorRequest
            ),
            Timeout = timeout,
        };

    private static byte[] Body(string accessor) =>
        VaultBodies.Of(new AccessorRequest(accessor), VaultJson.Default.AccessorRequest);
}
