using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A person repeated calls that read, which were counted instead of recorded one by one. The first of each in its minute
/// is on record as <see cref="AdminAction"/>.
/// </summary>
public sealed record AdminReadsCounted : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "admin.reads-counted";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>How many more there were of each endpoint.</summary>
    public required IReadOnlyList<(string Call, long Count)> ByCall { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteNumber("total", ByCall.Sum(item => item.Count));
        json.WriteStartObject("byCall");
        foreach (var (call, count) in ByCall.OrderBy(item => item.Call, StringComparer.Ordinal))
        {
            json.WriteNumber(call, count);
        }

        json.WriteEndObject();
    }
}
