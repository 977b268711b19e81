using System.Text.Json.Serialization;

namespace CredBroker.Core.Policy;

/// <summary>
/// What one challenge asks of people before a secret may leave: who may agree, how many of them have to, and how long the
/// question stands. A decision carries one for each rule that challenges, one for the gate where it alone asks, and one
/// for each limit that the request would break and that has people decide on it; all of them have to be met.
/// </summary>
public sealed record ApprovalDemand
{
    /// <summary>The rule that challenges; empty where the autonomy gate alone does, or a limit.</summary>
    public string RuleId { get; init; } = "";

    /// <summary>The limit that one more would break, and that lets people decide on it; null where no limit asks.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LimitId { get; init; }

    /// <summary>Which bound of that limit it is, in words: a limit that says something else is another question.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LimitSays { get; init; }

    /// <summary>Who may agree. Never empty; any of them counts towards the quorum.</summary>
    public required IReadOnlyList<Approver> Approvers { get; init; }

    /// <summary>How many different people have to agree; at least one.</summary>
    public int Quorum { get; init; } = 1;

    /// <summary>Who may agree besides once nobody has decided for a while; null: nobody else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ApprovalEscalation? Escalation { get; init; }

    /// <summary>How long after it was asked the question stands. What is not agreed by then is refused.</summary>
    public required TimeSpan ExpiresAfter { get; init; }

    /// <summary>
    /// The longest time box that who agrees may give: for so long the same is issued again without asking. Null where none
    /// is offered.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TimeSpan? TimeBox { get; init; }

    /// <summary>The agent that alone may redeem the approval with its own proof; empty: the one that asked.</summary>
    public string Executor { get; init; } = "";

    /// <summary>
    /// The condition by which policy admits an identity as that agent: whoever becomes the executor later is not the one
    /// that people left it to. Null where there is no executor.
    /// </summary>
    public string? ExecutorMember { get; init; }

    /// <summary>
    /// Who may not agree, whatever their role or group: the process's owner, where the rule says so. That nobody agrees to
    /// their own request holds besides, for every demand.
    /// </summary>
    public IReadOnlyList<Approver.Person> NotBy { get; init; } = [];

    /// <summary>Which of the tool call's arguments the approver sees, in this order.</summary>
    public IReadOnlyList<ShownArgument> Show { get; init; } = [];
}
