namespace CredBroker.Client;

/// <summary>Names a recorded decision.</summary>
/// <param name="Id">The decision's id, as in the audit log.</param>
/// <param name="PolicyVersion">The version of the policy that decided.</param>
public sealed record DecisionReference(string Id, long PolicyVersion);
