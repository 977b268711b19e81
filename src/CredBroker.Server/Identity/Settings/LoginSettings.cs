using System.Buffers;
using CredBroker.Client;

namespace CredBroker.Server.Identity.Settings;

/// <summary>Reads how people log in at an issuer.</summary>
internal static class LoginSettings
{
    private const int MaxText = 1024;

    // RFC 6749, section 3.3: printable ASCII without space, quotation mark and backslash.
    private static readonly SearchValues<char> ScopeCharacters = SearchValues.Create([
        .. Enumerable.Range(0x21, 0x7E - 0x20).Select(c => (char)c).Except(['"', '\\']),
    ]);

    /// <summary>What people are told; null where nobody logs in here, or <paramref name="faults"/> was told something.</summary>
    public static LoginIssuerResponse? Read(IssuerOptions options, bool devMode, SettingFaults faults)
    {
        var login = options.Login;
        if (login.ClientId.Length == 0)
        {
            faults.Require(
                login.Scopes.Count == 0 && login.Resource.Length == 0,
                "Login:ClientId",
                "is missing; write the public client that is registered at the issuer for the command line"
            );
            return null;
        }

        faults.Require(
            options.Use == IssuerOptions.ForPeople,
            "Login",
            "is set, but the issuer is for workloads, which do not log in; leave it out"
        );
        faults.Require(
            login.ClientId.Length <= MaxText && !login.ClientId.AsSpan().ContainsAnyExceptInRange(' ', '~'),
            "Login:ClientId",
            "is not printable ASCII; write the client's id as its issuer gave it"
        );
        faults.Require(
            login.Scopes.All(s => s.Length is > 0 and <= MaxText && !s.AsSpan().ContainsAnyExcept(ScopeCharacters)),
            "Login:Scopes",
            "has an entry that is no scope; write one scope an entry, such as openid"
        );
        faults.Require(
            login.Resource.Length == 0
                || (
                    login.Resource.Length <= MaxText
                    && Uri.TryCreate(login.Resource, UriKind.Absolute, out var resource)
                    && resource.Fragment.Length == 0
                ),
            "Login:Resource",
            $"is '{login.Resource}'; write an absolute URI without a fragment (RFC 8707), or leave it out"
        );
        faults.Require(
            !options.Issuer.Contains('?', StringComparison.Ordinal)
                && KeyAddress.TryParse(options.Issuer, devMode, out _),
            "Login",
            $"is set, but people cannot be sent to '{options.Issuer}'; the Issuer must be an https address"
        );
        return faults.Any
            ? null
            : new()
            {
                Issuer = options.Issuer,
                ClientId = login.ClientId,
                Audience = options.Audience,
                Scopes = login.Scopes.Count == 0 ? ["openid"] : [.. login.Scopes],
                Resource = login.Resource.Length == 0 ? null : login.Resource,
            };
    }
}
