using System.Text.Json.Serialization;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.State;

/// <summary>
/// How Core's values are written for the store and for audit details: camelCase, enums as kebab-case text, nothing that
/// is null.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true
)]
[JsonSerializable(typeof(Agreement[]))]
[JsonSerializable(typeof(DecisionRecord))]
[JsonSerializable(typeof(IReadOnlyList<Obligation>))]
[JsonSerializable(typeof(LeaseSelector))]
[JsonSerializable(typeof(NotSearched[]))]
[JsonSerializable(typeof(PolicyDocument))]
[JsonSerializable(typeof(ReportedOutcome))]
[JsonSerializable(typeof(string[]))]
public sealed partial class StateJson : JsonSerializerContext;
