namespace CredBroker.Client;

/// <summary>One request of a group that a person decides.</summary>
/// <param name="ApprovalId">Which.</param>
/// <param name="Digest">The digest that the person saw: another one is refused, and with it the whole group.</param>
public sealed record ApprovalReference(string ApprovalId, string Digest);
