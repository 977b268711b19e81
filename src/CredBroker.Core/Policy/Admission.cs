using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy;

/// <summary>Whether an identity may claim a process.</summary>
/// <param name="Agent">The entry of the process's agents that admits it; empty when none does.</param>
/// <param name="Refusal">Why not; null when it may.</param>
public sealed record Admission(string Agent, Refusal? Refusal);
