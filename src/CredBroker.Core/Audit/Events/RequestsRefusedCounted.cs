using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// Requests that were refused too often to be recorded one by one, and were counted: by their source before their caller
/// was verified, by their caller (issuer and subject) afterwards.
/// </summary>
public sealed record RequestsRefusedCounted : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "request.refused-counted";

    private const int MostSources = 20;

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>How many each source made; the record names the 20 that made most.</summary>
    public required IReadOnlyList<(string Source, long Count)> BySource { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteNumber("total", BySource.Sum(item => item.Count));
        json.WriteStartObject("bySource");
        foreach (var (source, count) in BySource.OrderByDescending(item => item.Count).Take(MostSources))
        {
            json.WriteNumber(source, count);
        }

        json.WriteEndObject();
    }
}
