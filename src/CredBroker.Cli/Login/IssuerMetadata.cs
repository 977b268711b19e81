namespace CredBroker.Cli.Login;

/// <summary>
/// What an issuer says of itself (OpenID Connect Discovery, RFC 8414). It counts only if it names the issuer that was
/// asked, byte for byte, and every address in it is one that tokens may be sent to.
/// </summary>
/// <param name="Token">Where tokens are given.</param>
/// <param name="Authorization">Where a browser is sent; null where there is none.</param>
/// <param name="Device">Where the device flow begins (RFC 8628); null where there is none.</param>
/// <param name="Revocation">Where tokens are revoked (RFC 7009); null where there is none.</param>
/// <param name="NamesItself">Whether every answer to a browser carries the issuer (RFC 9207).</param>
internal sealed record IssuerMetadata(Uri Token, Uri? Authorization, Uri? Device, Uri? Revocation, bool NamesItself)
{
    /// <summary>The issuer as an address that people may be sent to.</summary>
    public static Uri AddressOf(string issuer) =>
        Uri.TryCreate(issuer, UriKind.Absolute, out var address)
        && IssuerConnection.IsProtected(address)
        && address.Query.Length == 0
            ? address
            : throw CliException.Usage(
                $"\"{issuer}\" is no issuer that people can be sent to.",
                "It should be an https address; plain http is for loopback only."
            );

    public static async Task<IssuerMetadata> FetchAsync(
        IssuerConnection connection,
        string issuer,
        CancellationToken cancellationToken
    )
    {
        var address = new Uri($"{AddressOf(issuer).AbsoluteUri.TrimEnd('/')}/.well-known/openid-configuration");
        using var answer = await connection.GetAsync(address, cancellationToken);
        if (!answer.IsOk || answer.Body is null)
        {
            throw Fault($"{address} is no discovery document (HTTP {(int)answer.Status}).");
        }

        if (answer.Text("issuer") is var named && named != issuer)
        {
            throw Fault($"The discovery document of {issuer} is that of another issuer, \"{named}\".");
        }

        return new(
            Endpoint("token_endpoint") ?? throw Fault($"{issuer} names no token_endpoint."),
            Endpoint("authorization_endpoint"),
            Endpoint("device_authorization_endpoint"),
            Endpoint("revocation_endpoint"),
            answer.Says("authorization_response_iss_parameter_supported")
        );

        Uri? Endpoint(string name)
        {
            if (answer.Text(name) is not { } text)
            {
                return null;
            }

            return
                Uri.TryCreate(text, UriKind.Absolute, out var endpoint)
                && IssuerConnection.IsProtected(endpoint)
                // An issuer out there has no business on this machine.
                && (address.IsLoopback || !endpoint.IsLoopback)
                ? endpoint
                : throw Fault($"The {name} of {issuer} is \"{text}\", to which no token may be sent.");
        }
    }

    private static CliException Fault(string message) =>
        new(ExitCodes.Failed, message, "Check the issuer in the broker's settings, or the one given with --issuer.");
}
