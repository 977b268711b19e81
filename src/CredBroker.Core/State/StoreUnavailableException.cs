namespace CredBroker.Core.State;

/// <summary>
/// The store does not accept or answer. Nothing was committed, unless the message says that the outcome is unknown.
/// </summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
