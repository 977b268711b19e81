namespace CredBroker.Client;

/// <summary>A question to people that was asked, decided or closed.</summary>
/// <param name="Number">Where one goes on after this event, at whichever broker of the store.</param>
/// <param name="Approval">The question as it stands.</param>
public sealed record ApprovalEvent(long Number, ApprovalResponse Approval);
