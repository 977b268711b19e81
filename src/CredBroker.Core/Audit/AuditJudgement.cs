using System.Text.Json;

namespace CredBroker.Core.Audit;

/// <summary>
/// What was decided, in the terms of the WIMSE agent identity framework: with the holder, the time and the trace of the
/// same record these are the seven facts that an auditor looks for in every decision.
/// </summary>
public sealed record AuditJudgement
{
    /// <summary>Whom the agent acts for, as issuer and subject; null for nobody but itself.</summary>
    public (string Issuer, string Subject)? OnBehalfOf { get; init; }

    /// <summary>What was asked to do.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>On what; empty where the request names nothing.</summary>
    public string Resource { get; init; } = "";

    /// <summary>By which tool; empty where the request names none.</summary>
    public string Tool { get; init; } = "";

    /// <summary><c>allow</c>, <c>challenge</c> or <c>deny</c>.</summary>
    public required string Effect { get; init; }

    /// <summary>
    /// The conditions of the autonomy gate, and that no hold stands against it, and whether each is met; only what was
    /// looked at.
    /// </summary>
    public IReadOnlyList<(string Condition, bool Holds)> Posture { get; init; } = [];

    /// <summary>What the agent was told instead, as code and text; null where it got what it asked for.</summary>
    public (string Code, string Detail)? Remediation { get; init; }

    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject("facts");
        WritePair(json, "onBehalfOf", "issuer", "subject", OnBehalfOf);
        json.WriteStartArray("actions");
        foreach (var action in Actions)
        {
            json.WriteStringValue(action);
        }

        json.WriteEndArray();
        json.WriteString("resource", Resource);
        json.WriteString("tool", Tool);
        json.WriteString("effect", Effect);
        json.WriteStartObject("posture");
        foreach (var (condition, holds) in Posture)
        {
            json.WriteBoolean(condition, holds);
        }

        json.WriteEndObject();
        WritePair(json, "remediation", "code", "detail", Remediation);
        json.WriteEndObject();
    }

    private static void WritePair(
        Utf8JsonWriter json,
        string name,
        string first,
        string second,
        (string First, string Second)? pair
    )
    {
        if (pair is not var (one, two))
        {
            json.WriteNull(name);
            return;
        }

        json.WriteStartObject(name);
        json.WriteString(first, one);
        json.WriteString(second, two);
        json.WriteEndObject();
    }
}
