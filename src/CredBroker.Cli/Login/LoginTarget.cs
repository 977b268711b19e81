using CredBroker.Client;

namespace CredBroker.Cli.Login;

/// <summary>Where a person logs in, and what for.</summary>
/// <param name="Server">The broker that the token is for, and is sent to.</param>
/// <param name="Issuer">The issuer.</param>
/// <param name="ClientId">The public client that is registered there.</param>
/// <param name="Audience">The audience that the token must have.</param>
/// <param name="Scopes">The scopes to ask for.</param>
/// <param name="Resource">The resource to ask a token for (RFC 8707); null for none.</param>
internal sealed record LoginTarget(
    Uri Server,
    string Issuer,
    string ClientId,
    string Audience,
    IReadOnlyList<string> Scopes,
    string? Resource
)
{
    /// <summary>The parameters that every request for a token begins with.</summary>
    public List<KeyValuePair<string, string>> Form()
    {
        var form = new List<KeyValuePair<string, string>>
        {
            new("client_id", ClientId),
            new("scope", string.Join(' ', Scopes)),
        };
        if (Resource is not null)
        {
            form.Add(new("resource", Resource));
        }

        return form;
    }

    public static LoginTarget Of(Uri server, LoginIssuerResponse issuer) =>
        new(server, issuer.Issuer, issuer.ClientId, issuer.Audience, issuer.Scopes, issuer.Resource);
}
