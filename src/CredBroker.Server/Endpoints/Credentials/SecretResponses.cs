using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Exchange;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Server.Endpoints.Credentials;

/// <summary>The one place where a secret is revealed to be written: into the single reply that delivers it.</summary>
internal static class SecretResponses
{
    public static ExchangeResponse Issued(ExchangeOutcome.Issued issued) =>
        new()
        {
            LeaseId = issued.Lease.Id,
            Secret = Secret(issued.Secret, issued.Lease),
            ExpiresAt =
                issued.Lease.ExpiresAt
                ?? throw new InvalidOperationException($"Lease {issued.Lease.Id} was issued without an end."),
            TtlCut = issued.Lease.Grant.TtlCut ? true : null,
            GraceUntil = issued.Lease.GraceUntil,
            Decision = new(issued.Lease.Decision.Id, issued.Lease.Decision.PolicyVersion),
        };

    private static SecretResponse Secret(IssuedSecret secret, Lease lease) =>
        secret switch
        {
            IssuedSecret.Database database => new DatabaseSecret
            {
                Username = database.Username,
                Password = database.Password.Reveal(),
                Connection = database.Connection is { } at ? new(at.Host, at.Port, at.Database, at.SslMode) : null,
            },
            IssuedSecret.Certificate certificate => new CertificateSecret
            {
                Certificate = certificate.Pem,
                Chain = certificate.Chain,
                Serial = certificate.Serial,
                PrivateKey = certificate.PrivateKey?.Reveal(),
            },
            IssuedSecret.Token token => new TokenSecret
            {
                Token = token.Value.Reveal(),
                Address = token.Address,
                Namespace = token.Namespace is { Length: > 0 } named ? named : null,
            },
            IssuedSecret.Values values when lease.Grant.Entry.Vault is VaultBinding.KeyValue => new KeyValueSecret
            {
                Data = JsonElement.Parse(values.Json.Reveal()),
            },
            IssuedSecret.Values values => new DynamicSecret { Data = JsonElement.Parse(values.Json.Reveal()) },
            _ => throw new InvalidOperationException($"Unknown kind of secret {secret.GetType().Name}."),
        };
}
