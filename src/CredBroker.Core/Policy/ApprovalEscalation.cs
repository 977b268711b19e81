namespace CredBroker.Core.Policy;

/// <summary>Whom a demand asks, too, where nobody has decided for so long.</summary>
/// <param name="After">How long after it was asked; less than the question stands.</param>
/// <param name="To">Who may agree from then on, beside those who might before. Never empty.</param>
public sealed record ApprovalEscalation(TimeSpan After, IReadOnlyList<Approver> To);
