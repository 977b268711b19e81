using System.Text.Json;
using CredBroker.Core.Audit;

namespace CredBroker.Testing.Audit;

/// <summary>What happened in a test, for which the type's name matters and its meaning doesn't.</summary>
/// <param name="name">Its name in the log.</param>
/// <param name="writeDetails">Writes its details; null for an event without any.</param>
internal sealed record TestFact(string name, Action<Utf8JsonWriter>? writeDetails = null) : AuditFact
{
    public override string Type => name;

    public override bool HasDetails => writeDetails is not null;

    public override void WriteDetails(Utf8JsonWriter json) => writeDetails!(json);
}
