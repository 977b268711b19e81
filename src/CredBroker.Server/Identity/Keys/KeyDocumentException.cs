namespace CredBroker.Server.Identity.Keys;

/// <summary>Keys could not be fetched or read; the message says why and holds no secret.</summary>
internal sealed class KeyDocumentException(string message) : Exception(message);
