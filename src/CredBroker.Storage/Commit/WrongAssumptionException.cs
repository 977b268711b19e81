namespace CredBroker.Storage.Commit;

/// <summary>
/// What a session took for granted of a batch was not so: nothing of it is committed, and it is to be applied again with
/// nothing assumed.
/// </summary>
internal sealed class WrongAssumptionException(string message, Exception? cause = null) : Exception(message, cause);
