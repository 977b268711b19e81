using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// The bearer token of a call: from the <c>Authorization</c> header alone, never from the address or the body (RFC 9700
/// section 4.3.2).
/// </summary>
internal static class Bearer
{
    private const string Scheme = "Bearer ";

    /// <summary>The token, or why there is none. It is not looked into here.</summary>
    public static Checked<SecretText> Read(HttpContext http)
    {
        var values = http.Request.Headers.Authorization;
        if (values.Count > 1)
        {
            return new Refusal(RefusalCode.TokenMalformed, "Send one Authorization header.");
        }

        var value = values.Count == 1 ? values[0] ?? "" : "";
        var token = value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? value[Scheme.Length..].Trim() : "";
        if (token.Length == 0)
        {
            return new Refusal(RefusalCode.TokenMissing, "Send the token as \"Authorization: Bearer …\".");
        }

        return new SecretText(token);
    }
}
