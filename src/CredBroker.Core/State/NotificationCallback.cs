namespace CredBroker.Core.State;

/// <summary>The address that the one who submitted a request has named to be told what becomes of it.</summary>
/// <param name="Endpoint">The address, as it was named; the settings say whether it is called.</param>
/// <param name="State">What it is given back unread: JSON; empty where nothing.</param>
public sealed record NotificationCallback(string Endpoint, string State);
