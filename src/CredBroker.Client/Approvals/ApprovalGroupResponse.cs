namespace CredBroker.Client;

/// <summary>
/// Open requests that ask the same people for the same credential of one process, on one card: what all of them share,
/// and each with what may differ. They are approved or denied all or none. What cannot be undone, or is of high impact, is
/// in none.
/// </summary>
public sealed record ApprovalGroupResponse
{
    /// <summary>What it is called: the same as long as the requests share the same, whichever they are.</summary>
    public required string GroupId { get; init; }

    /// <summary>Of which requests, and of what each is about: with another one in it, it is another digest.</summary>
    public required string Digest { get; init; }

    /// <summary>The business process.</summary>
    public required string Process { get; init; }

    /// <summary>Its owner; absent where it has none.</summary>
    public OwnerResponse? Owner { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary><c>read</c>, <c>write</c>, <c>external</c> or <c>privileged</c>.</summary>
    public required string Access { get; init; }

    /// <summary><c>low</c> or <c>medium</c>.</summary>
    public required string Impact { get; init; }

    /// <summary>What a revocation reaches: <c>backend</c>, <c>crl</c>, <c>introspection</c> or <c>none</c>.</summary>
    public required string Revocation { get; init; }

    /// <summary>The credential's parameters: which of its secrets it is; absent where there are none.</summary>
    public IReadOnlyDictionary<string, string>? Params { get; init; }

    /// <summary>The tool that the secrets are for, as the agents say; absent where they name none.</summary>
    public string? Tool { get; init; }

    /// <summary>The rules that challenge them.</summary>
    public required IReadOnlyList<string> Rules { get; init; }

    /// <summary>The conditions of the autonomy gate, and whether each holds.</summary>
    public required IReadOnlyList<GateConditionResponse> Gate { get; init; }

    /// <summary>The agent that alone redeems them; absent: each the one that asks.</summary>
    public string? Executor { get; init; }

    /// <summary>What is asked of whom.</summary>
    public required IReadOnlyList<ApprovalDemandResponse> Demands { get; init; }

    /// <summary>
    /// In what the requests differ: of <c>requester</c>, <c>task</c>, <c>actions</c>, <c>ttl</c>, <c>purpose</c>,
    /// <c>resource</c> and <c>arguments</c> those that are not the same in all.
    /// </summary>
    public required IReadOnlyList<string> Differs { get; init; }

    /// <summary>The requests, oldest first; two at least, 50 at most.</summary>
    public required IReadOnlyList<GroupedApprovalResponse> Requests { get; init; }
}
