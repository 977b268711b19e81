namespace CredBroker.Core.Policy.Document;

/// <summary>What became of compiling a document.</summary>
/// <param name="Set">The policy; null where there are faults.</param>
/// <param name="Faults">Every fault, in the order of the document's lines.</param>
public sealed record PolicyCompilation(PolicySet? Set, IReadOnlyList<PolicyFault> Faults);
