namespace CredBroker.Vault.Http;

/// <summary>A way to Vault: any of its nodes, or one of them alone.</summary>
internal interface IVaultLine
{
    /// <summary>
    /// Sends the call once. The caller's cancellation ends the wait, not the call: it is answered as lost, never thrown.
    /// </summary>
    ValueTask<VaultReply> SendAsync(VaultCall call, CancellationToken cancellationToken);
}
