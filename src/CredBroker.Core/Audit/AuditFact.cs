using System.Text.Json;

namespace CredBroker.Core.Audit;

/// <summary>
/// What happened, and what there is to say about it beyond the envelope that every <see cref="AuditEvent"/> has. Each
/// kind is a type in <c>Audit/Events</c>, the catalogue of everything that can happen; none holds a secret value.
/// </summary>
public abstract record AuditFact
{
    /// <summary>Its name in the log, <c>noun.what-happened</c>. Logs that exist have it, so it never changes.</summary>
    public abstract string Type { get; }

    /// <summary>Whether there is anything to say beyond the envelope.</summary>
    public virtual bool HasDetails => false;

    /// <summary>
    /// Writes the members of the record's <c>details</c>, always in the same order: the stored bytes are the record.
    /// Called only if <see cref="HasDetails"/>.
    /// </summary>
    /// <param name="json">Stands within the object, which is opened and closed for it.</param>
    public virtual void WriteDetails(Utf8JsonWriter json) { }
}
