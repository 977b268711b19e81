using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>A lease as Vault shows it.</summary>
/// <param name="VaultLeaseId">Its id.</param>
/// <param name="IssuedAt">Vault's <c>issue_time</c>: the end of the mint.</param>
/// <param name="Revoking">Whether Vault is revoking it already (<c>ttl</c> 0).</param>
public sealed record VaultLease(string VaultLeaseId, DateTimeOffset IssuedAt, bool Revoking);
