using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// A directory knows too many of the owners no more, all at once: that is taken for a fault of its or of the settings, and
/// nobody is retired.
/// </summary>
public sealed record DirectoryDoubted : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "directory.doubted";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>The issuer whose people it knows.</summary>
    public required string Issuer { get; init; }

    /// <summary>Of how many owners it said whether they are there.</summary>
    public required int Answered { get; init; }

    /// <summary>How many of them it says are gone.</summary>
    public required int Gone { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("issuer", Issuer);
        json.WriteNumber("answered", Answered);
        json.WriteNumber("gone", Gone);
    }
}
