using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>Somebody outside was to be told of a question to people, and was not: it is given up.</summary>
public sealed record NotificationFailed : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "notification.failed";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The notification's id.</summary>
    public required string NotificationId { get; init; }

    /// <summary>The question's id.</summary>
    public required string ApprovalId { get; init; }

    /// <summary>What was to be told.</summary>
    public required string Kind { get; init; }

    /// <summary>How often it was tried.</summary>
    public required int Attempts { get; init; }

    /// <summary>The names of the addresses that did not take it.</summary>
    public required IReadOnlyList<string> Endpoints { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("notification", NotificationId);
        json.WriteString("approval", ApprovalId);
        json.WriteString("kind", Kind);
        json.WriteNumber("attempts", Attempts);
        json.WriteStartArray("endpoints");
        foreach (var endpoint in Endpoints)
        {
            json.WriteStringValue(endpoint);
        }

        json.WriteEndArray();
    }
}
