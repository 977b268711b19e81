using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Server.Endpoints.Owners;

// What there is here of SCIM 2.0 (RFC 7643 and 7644): that a user is active, or is not.

/// <summary>A change of a user (RFC 7644 section 3.5.2).</summary>
internal sealed record ScimPatch
{
    /// <summary>What the body is.</summary>
    public IReadOnlyList<string>? Schemas { get; init; }

    /// <summary>What is changed: one thing.</summary>
    [JsonPropertyName("Operations")]
    public IReadOnlyList<ScimOperation>? Operations { get; init; }
}

/// <summary>One operation.</summary>
internal sealed record ScimOperation
{
    /// <summary><c>replace</c>, however it is spelled.</summary>
    public string? Op { get; init; }

    /// <summary><c>active</c>, or nothing, where the value names it.</summary>
    public string? Path { get; init; }

    /// <summary>The truth value, or an object that has it as <c>active</c> and has nothing else.</summary>
    public JsonElement Value { get; init; }
}

/// <summary>A refusal (RFC 7644 section 3.12).</summary>
/// <param name="Schemas">What the body is.</param>
/// <param name="Status">The status, as text.</param>
/// <param name="Detail">The code and the words.</param>
internal sealed record ScimError(IReadOnlyList<string> Schemas, string Status, string Detail);

/// <summary>How they are written and read.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    PropertyNameCaseInsensitive = true,
    AllowDuplicateProperties = false
)]
[JsonSerializable(typeof(ScimPatch))]
[JsonSerializable(typeof(ScimError))]
internal sealed partial class ScimJson : JsonSerializerContext;
