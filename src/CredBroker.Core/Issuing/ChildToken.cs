using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>The token that one secret hangs on. Nobody but the broker ever holds it.</summary>
/// <param name="Token">The token.</param>
/// <param name="Accessor">The handle that revokes it.</param>
/// <param name="EndsAt">When it ends.</param>
public sealed record ChildToken(SecretText Token, string Accessor, DateTimeOffset EndsAt);
