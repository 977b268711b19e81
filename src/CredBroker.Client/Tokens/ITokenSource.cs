namespace CredBroker.Client;

/// <summary>
/// Where the caller's identity token comes from. It is read again for each call, because projected tokens are replaced
/// while a process runs, and it is kept nowhere. <see cref="TokenSource"/> makes the usual ones.
/// </summary>
public interface ITokenSource
{
    /// <summary>For messages: where the token comes from, never what it is.</summary>
    string Description { get; }

    /// <summary>
    /// Environment variables from which the token could be had: a child process should not inherit them.
    /// </summary>
    IReadOnlyList<string> Variables { get; }

    /// <summary>Reads the token: one line of letters, digits and <c>-._~+/=</c>, at most 64 KiB.</summary>
    /// <exception cref="TokenSourceException">There is no token to be had.</exception>
    ValueTask<string> ReadAsync(CancellationToken cancellationToken);
}
