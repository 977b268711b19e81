using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CredBroker.Dev.Issuer;

/// <summary>Signs tokens with a key that exists in memory alone (ES256).</summary>
internal sealed class DevTokenMint(TimeProvider time) : IDisposable
{
    /// <summary>The longest life of a token.</summary>
    public static readonly TimeSpan MaxLife = TimeSpan.FromHours(1);

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly string _keyId = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>The <c>iss</c>: the server's own address, known once it listens.</summary>
    public string Issuer { get; set; } = "";

    public string ForAgent(string agent, string instance, TimeSpan life) =>
        Sign(
            $"{agent}/{instance}",
            DevIssuer.AgentAudience,
            life,
            claims =>
            {
                claims.WriteString("workload", agent);
                claims.WriteString("instance", instance);
            }
        );

    public string ForPerson(DevPerson person, TimeSpan life) =>
        Sign(
            person.Subject,
            DevIssuer.PeopleAudience,
            life,
            claims =>
            {
                claims.WriteString("name", person.Name);
                claims.WriteStartArray("roles");
                claims.WriteStringValue(person.Role);
                claims.WriteEndArray();
            }
        );

    /// <summary>The public key as a JWKS.</summary>
    public void WriteJwks(Utf8JsonWriter json)
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        json.WriteStartObject();
        json.WriteStartArray("keys");
        json.WriteStartObject();
        json.WriteString("kty", "EC");
        json.WriteString("crv", "P-256");
        json.WriteString("x", Base64Url.EncodeToString(point.X));
        json.WriteString("y", Base64Url.EncodeToString(point.Y));
        json.WriteString("kid", _keyId);
        json.WriteString("alg", "ES256");
        json.WriteString("use", "sig");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    public void Dispose() => _key.Dispose();

    private string Sign(string subject, string audience, TimeSpan life, Action<Utf8JsonWriter> writeClaims)
    {
        var now = time.GetUtcNow();
        var header = Part(json =>
        {
            json.WriteString("alg", "ES256");
            json.WriteString("kid", _keyId);
            json.WriteString("typ", "JWT");
        });
        var claims = Part(json =>
        {
            json.WriteString("iss", Issuer);
            json.WriteString("sub", subject);
            json.WriteString("aud", audience);
            json.WriteNumber("iat", now.ToUnixTimeSeconds());
            json.WriteNumber("exp", (now + (life < MaxLife ? life : MaxLife)).ToUnixTimeSeconds());
            json.WriteString("jti", Guid.CreateVersion7(now));
            writeClaims(json);
        });
        var signed = $"{header}.{claims}";
        var signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Base64Url.EncodeToString(buffer.WrittenSpan);
    }
}
