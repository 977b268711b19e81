namespace CredBroker.Core.Requests;

/// <summary>
/// The task that a secret is for, as the agent names it. A task is (process, id), owned by the workload whose lease
/// first opened it.
/// </summary>
/// <param name="Id">The agent's id for this run of the process.</param>
/// <param name="Process">The business process; a fact only once policy has admitted the identity to it.</param>
/// <param name="Purpose">The declared intent: a statement by the agent, shown and compared, never trusted.</param>
public sealed record AgentTask(string Id, string Process, string Purpose);
