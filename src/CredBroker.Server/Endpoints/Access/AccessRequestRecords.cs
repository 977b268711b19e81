using System.Text.Json;
using System.Text.Json.Serialization;

namespace CredBroker.Server.Endpoints.Access;

// The wire form of the AuthZEN Access Request and Approval Profile 1.0, Draft 1. What is not known is ignored.

/// <summary>A request to have people asked about a denial: the question that was denied, and which denial it was.</summary>
internal sealed record AccessSubmitted : AccessQuestion
{
    /// <summary>The denial.</summary>
    public AccessDenial? Denial { get; init; }

    /// <summary>Several questions at once, which this broker does not take.</summary>
    public JsonElement? Items { get; init; }

    /// <summary>Whom to call when something becomes of it.</summary>
    public AccessCallbackAsked? Callback { get; init; }

    /// <summary>What the caller wishes beyond the question; policy alone says what is granted.</summary>
    [JsonPropertyName("requested_access")]
    public JsonElement? RequestedAccess { get; init; }

    /// <summary>What the caller says of itself.</summary>
    public AccessClient? Client { get; init; }
}

/// <summary>Whom to call, as the caller names it.</summary>
internal sealed record AccessCallbackAsked
{
    /// <summary>The address, exactly as the settings have it.</summary>
    public string? Endpoint { get; init; }

    /// <summary>What is given back unread, up to 1,024 characters of JSON.</summary>
    public JsonElement? State { get; init; }

    /// <summary>Of what: <c>approved</c>, <c>denied</c>, <c>expired</c>, <c>cancelled</c>; left out: of all.</summary>
    public IReadOnlyList<string?>? Events { get; init; }
}

/// <summary>Which denial a request is for, as the evaluation named it.</summary>
internal sealed record AccessDenial
{
    /// <summary>Its <c>evaluation_id</c>.</summary>
    [JsonPropertyName("evaluation_id")]
    public string? EvaluationId { get; init; }

    /// <summary>Its <c>access_request.expires_at</c>.</summary>
    [JsonPropertyName("expires_at")]
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>A token that this broker never gives.</summary>
    [JsonPropertyName("binding_token")]
    public string? BindingToken { get; init; }
}

/// <summary>Who submits, in its own words.</summary>
internal sealed record AccessClient
{
    /// <summary>The actor: the caller itself.</summary>
    public AccessActor? Actor { get; init; }
}

/// <summary>An actor.</summary>
internal sealed record AccessActor
{
    /// <summary>Its subject.</summary>
    public string? Id { get; init; }

    /// <summary>Its issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary>For whom it acts in turn, which nothing here proves.</summary>
    public JsonElement? Act { get; init; }
}

/// <summary>Why the caller takes its request back; read for its form, and not kept.</summary>
internal sealed record AccessCancel
{
    /// <summary>One word.</summary>
    public string? Reason { get; init; }

    /// <summary>More words.</summary>
    public string? Comment { get; init; }
}

/// <summary>What a denial is bound to: the question, without what the profile itself adds to it.</summary>
internal sealed record AccessBound(
    AccessSubject Subject,
    AccessAction Action,
    AccessResource Resource,
    AccessContext? Context
);

/// <summary>Where a request stands.</summary>
internal sealed record AccessTaskResponse
{
    /// <summary>The task.</summary>
    public required AccessTask Task { get; init; }

    /// <summary>What came of it, once it is approved.</summary>
    public AccessResult? Result { get; init; }
}

/// <summary>A request, as the one who submitted it sees it.</summary>
internal sealed record AccessTask
{
    /// <summary>128 random bits: the question to people, by the id that it has everywhere.</summary>
    public required string Id { get; init; }

    /// <summary>
    /// <c>pending</c>, <c>approved</c>, <c>denied</c>, <c>cancelled</c> or <c>failed</c>; whatever else means not
    /// approved.
    /// </summary>
    public required string Status { get; init; }

    /// <summary>Where to look.</summary>
    [JsonPropertyName("status_endpoint")]
    public required string StatusEndpoint { get; init; }

    /// <summary>Until when it can be looked at.</summary>
    [JsonPropertyName("expires_at")]
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Related addresses.</summary>
    public required AccessLinks Links { get; init; }

    /// <summary>What a person may read.</summary>
    public AccessDisplay? Display { get; init; }
}

/// <summary>Related addresses.</summary>
/// <param name="Cancel">Where to take it back.</param>
internal sealed record AccessLinks(string Cancel);

/// <summary>What a person may read.</summary>
/// <param name="Description">The reason of whoever denied it.</param>
internal sealed record AccessDisplay(string Description);

/// <summary>What came of a request: an approval, with which to evaluate again.</summary>
/// <param name="Mode">Always <c>reevaluate</c>.</param>
/// <param name="Approval">The approval.</param>
internal sealed record AccessResult(string Mode, AccessApproval Approval);
