using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>Whether secrets can be issued now.</summary>
/// <param name="CanIssue">Whether they can.</param>
/// <param name="Refusal">Why not (a CB4xxx), where they cannot.</param>
/// <param name="ProvenAt">When revoking was last proven.</param>
public sealed record IssuerStatus(bool CanIssue, Refusal? Refusal, DateTimeOffset? ProvenAt);
