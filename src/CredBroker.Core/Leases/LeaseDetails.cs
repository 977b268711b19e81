using System.Text.Json;

namespace CredBroker.Core.Leases;

/// <summary>The details of audit events about leases: small JSON objects without any secret value.</summary>
internal static class LeaseDetails
{
    /// <summary>An issuance: its handles and times.</summary>
    public static ReadOnlyMemory<byte> Issued(
        SecretHandles handles,
        DateTimeOffset expiresAt,
        DateTimeOffset graceUntil
    ) =>
        Object(writer =>
        {
            WriteHandles(writer, handles);
            writer.WriteString("expiresAt", expiresAt);
            writer.WriteString("graceUntil", graceUntil);
        });

    /// <summary>The handles of a secret.</summary>
    public static ReadOnlyMemory<byte> Handles(SecretHandles handles) =>
        Object(writer => WriteHandles(writer, handles));

    /// <summary>One named text.</summary>
    public static ReadOnlyMemory<byte> Text(string name, string value) =>
        Object(writer => writer.WriteString(name, value));

    /// <summary>A JSON object written by the caller.</summary>
    public static ReadOnlyMemory<byte> Object(Action<Utf8JsonWriter> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static void WriteHandles(Utf8JsonWriter writer, SecretHandles handles)
    {
        if (handles.VaultLeaseId is not null)
        {
            writer.WriteString("vaultLease", handles.VaultLeaseId);
        }

        if (handles.CredentialAccessor is not null)
        {
            writer.WriteString("credentialAccessor", handles.CredentialAccessor);
        }

        writer.WriteString("publicName", handles.PublicName);
    }
}
