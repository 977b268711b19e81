namespace CredBroker.Dev.Vault.Http;

/// <summary>
/// Ends a call with Vault's error form. An exception, because field readers deep inside a call must be able to end it;
/// caught in one place, the dispatcher.
/// </summary>
internal sealed class DevVaultRefusal(int status, params string[] errors) : Exception(string.Join("; ", errors))
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>What stands in <c>errors</c>.</summary>
    public IReadOnlyList<string> Errors { get; } = errors;

    /// <summary>Vault's form for errors that its framework collected.</summary>
    public static DevVaultRefusal Collected(int status, string error) =>
        new(status, $"1 error occurred:\n\t* {error}\n\n");

    /// <summary>404 with an empty list: there is no such entry.</summary>
    public static DevVaultRefusal NoEntry() => new(404);

    /// <summary>404: the engine has no such path.</summary>
    public static DevVaultRefusal UnsupportedPath() => Collected(404, "unsupported path");

    /// <summary>405: the path takes no such operation.</summary>
    public static DevVaultRefusal UnsupportedOperation() => Collected(405, "unsupported operation");
}
