namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/leases/{id}/confirm</c>: the secret of a lease that nobody can prove gone is gone, on an admin's word.
/// </summary>
public sealed record ConfirmLeaseRequest
{
    /// <summary>What the admin saw that shows it: 1 to 1,000 characters, kept in the audit log.</summary>
    public required string Evidence { get; init; }
}
