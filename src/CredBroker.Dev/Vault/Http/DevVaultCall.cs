using System.Net;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Tokens;

namespace CredBroker.Dev.Vault.Http;

/// <summary>
/// What a call does, as policies name it: a write is a create where the engine knows that nothing is there yet.
/// </summary>
internal enum DevVaultOperation
{
    Read,
    List,
    Create,
    Update,
    Patch,
    Delete,
}

/// <summary>A request as it arrived.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path below <c>/v1/</c>.</param>
/// <param name="Token">The caller's token, or empty.</param>
/// <param name="Query">The query's parameters.</param>
/// <param name="Body">The JSON body; empty where there is none.</param>
/// <param name="WrapTtl">For how long the reply is to be wrapped; zero where it is not.</param>
/// <param name="From">Where it came from.</param>
internal sealed record DevVaultRequest(
    string Method,
    string Path,
    string Token,
    IReadOnlyDictionary<string, string> Query,
    JsonObject Body,
    TimeSpan WrapTtl,
    IPAddress From
)
{
    /// <summary>Whether the method writes all of something; a patch is not meant.</summary>
    public bool Writes => Method is "POST" or "PUT";

    /// <summary>Whether its body counts. Vault reads no other method's.</summary>
    public bool HasBody => Writes || Method == "PATCH";
}

/// <summary>
/// A request on its way to an engine: authenticated, permitted, its path cut to the engine's own part.
/// </summary>
/// <param name="Operation">What it does.</param>
/// <param name="Mount">The engine's mount path, with its closing slash.</param>
/// <param name="Path">The path below the mount.</param>
/// <param name="Fields">The body.</param>
/// <param name="Request">The request itself.</param>
/// <param name="Caller">Whose token it is; null on paths that need none.</param>
/// <param name="Sudo">Whether the caller is root or has <c>sudo</c> on this path.</param>
/// <param name="Now">The time of the call.</param>
internal sealed record DevVaultCall(
    DevVaultOperation Operation,
    string Mount,
    string Path,
    DevVaultFields Fields,
    DevVaultRequest Request,
    DevVaultToken? Caller,
    bool Sudo,
    DateTimeOffset Now
)
{
    /// <summary>Whether it writes.</summary>
    public bool Writes => Operation is DevVaultOperation.Create or DevVaultOperation.Update;

    /// <summary>The caller, on paths that need one.</summary>
    public DevVaultToken RequiredCaller =>
        Caller ?? throw new InvalidOperationException($"{Request.Path} is served without a token.");

    /// <summary>The rest of the path after <paramref name="prefix"/>, if it begins so and something follows.</summary>
    public bool Below(string prefix, out string rest)
    {
        rest = Path.StartsWith(prefix, StringComparison.Ordinal) ? Path[prefix.Length..] : "";
        return rest.Length > 0;
    }
}
