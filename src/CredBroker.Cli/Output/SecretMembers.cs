using System.Text.Json;
using CredBroker.Client;

namespace CredBroker.Cli.Output;

/// <summary>A secret's members by name, as the environment and the terminal take them.</summary>
internal static class SecretMembers
{
    public static IEnumerable<(string Name, string Value)> Of(SecretResponse secret) =>
        secret switch
        {
            DatabaseSecret database =>
            [
                ("username", database.Username),
                ("password", database.Password),
                .. database.Connection is { } connection
                    ?
                    [
                        ("host", connection.Host),
                        ("port", $"{connection.Port}"),
                        ("database", connection.Database),
                        ("sslmode", connection.Sslmode),
                    ]
                    : Array.Empty<(string, string)>(),
            ],
            CertificateSecret certificate =>
            [
                ("certificate", certificate.Certificate),
                ("chain", string.Join('\n', certificate.Chain.Select(issuer => issuer.TrimEnd()))),
                ("serial", certificate.Serial),
                .. certificate.PrivateKey is { } key ? [("private_key", key)] : Array.Empty<(string, string)>(),
            ],
            TokenSecret token =>
            [
                ("token", token.Token),
                ("address", token.Address),
                .. token.Namespace is { } named ? [("namespace", named)] : Array.Empty<(string, string)>(),
            ],
            KeyValueSecret values => OfObject(values.Data),
            DynamicSecret values => OfObject(values.Data),
            _ => throw new InvalidOperationException("A secret of an unknown kind."),
        };

    private static IEnumerable<(string, string)> OfObject(JsonElement data) =>
        data.EnumerateObject()
            .Select(member =>
                (
                    member.Name,
                    member.Value.ValueKind == JsonValueKind.String
                        ? member.Value.GetString()!
                        : member.Value.GetRawText()
                )
            );
}
