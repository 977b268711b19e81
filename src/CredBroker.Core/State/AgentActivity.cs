namespace CredBroker.Core.State;

/// <summary>
/// What one instance of an agent has had of one credential lately. Counted as decisions are committed: denials that are
/// only told with a minute's others are not in it.
/// </summary>
/// <param name="Credential">The catalogue entry; empty for all that is not in the catalogue.</param>
/// <param name="Issued">Leases that were opened.</param>
/// <param name="Denied">Denials.</param>
/// <param name="Challenged">Questions to people.</param>
public sealed record AgentActivity(string Credential, long Issued, long Denied, long Challenged)
{
    /// <summary>Of how many credentials it is told.</summary>
    public const int Most = 20;
}
