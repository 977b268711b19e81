using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>The details of audit events about leases: small JSON objects without any secret value.</summary>
internal static class AuditDetails
{
    /// <summary>An issuance: its handles and times.</summary>
    public static ReadOnlyMemory<byte> Issued(
        string? vaultLeaseId,
        string? credentialAccessor,
        string publicName,
        DateTimeOffset expiresAt,
        DateTimeOffset graceUntil
    ) =>
        Object(writer =>
        {
            WriteHandles(writer, vaultLeaseId, credentialAccessor, publicName);
            writer.WriteString("expiresAt", expiresAt);
            writer.WriteString("graceUntil", graceUntil);
        });

    /// <summary>The handles of a secret.</summary>
    public static ReadOnlyMemory<byte> Handles(string? vaultLeaseId, string? credentialAccessor, string publicName) =>
        Object(writer => WriteHandles(writer, vaultLeaseId, credentialAccessor, publicName));

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

    private static void WriteHandles(
        Utf8JsonWriter writer,
        string? vaultLeaseId,
        string? credentialAccessor,
        string publicName
    )
    {
        if (vaultLeaseId is not null)
        {
            writer.WriteString("vaultLease", vaultLeaseId);
        }

        if (credentialAccessor is not null)
        {
            writer.WriteString("credentialAccessor", credentialAccessor);
        }

        writer.WriteString("publicName", publicName);
    }
}
