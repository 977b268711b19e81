using CredBroker.Cel;

namespace CredBroker.Core.Policy;

/// <summary>
/// The names that conditions may read. A path's place in the list is its slot in <see cref="PolicyInputs"/>.
/// </summary>
internal static class PolicyRoots
{
    private static readonly CelType Open = CelType.MapOf(CelType.String, CelType.Dyn);
    private static readonly CelType Texts = CelType.ListOf(CelType.String);

    private static readonly (PolicyPath Path, string Name, CelType Type)[] Paths =
    [
        (PolicyPath.IdentityIssuer, "identity.issuer", CelType.String),
        (PolicyPath.IdentitySubject, "identity.subject", CelType.String),
        (PolicyPath.IdentityWorkload, "identity.workload", CelType.String),
        (PolicyPath.IdentityInstance, "identity.instance", CelType.String),
        (PolicyPath.IdentitySpiffeId, "identity.spiffeId", CelType.String),
        (PolicyPath.IdentityTrustDomain, "identity.trustDomain", CelType.String),
        (PolicyPath.IdentityProof, "identity.proof", CelType.String),
        (PolicyPath.IdentityClaims, "identity.claims", Open),
        (PolicyPath.Agent, "agent", CelType.String),
        (PolicyPath.TaskId, "task.id", CelType.String),
        (PolicyPath.TaskProcess, "task.process", CelType.String),
        (PolicyPath.TaskPurpose, "task.purpose", CelType.String),
        (PolicyPath.TaskOnBehalfOfIssuer, "task.onBehalfOf.issuer", CelType.String),
        (PolicyPath.TaskOnBehalfOfSubject, "task.onBehalfOf.subject", CelType.String),
        (PolicyPath.CredentialName, "credential.name", CelType.String),
        (PolicyPath.CredentialEngine, "credential.engine", CelType.String),
        (PolicyPath.CredentialAccess, "credential.access", CelType.String),
        (PolicyPath.CredentialCategory, "credential.category", CelType.String),
        (PolicyPath.CredentialImpact, "credential.impact", CelType.String),
        (PolicyPath.CredentialRevocation, "credential.revocation", CelType.String),
        (PolicyPath.CredentialReversible, "credential.reversible", CelType.Bool),
        (PolicyPath.RequestActions, "request.actions", Texts),
        (PolicyPath.RequestResource, "request.resource", CelType.String),
        (PolicyPath.RequestTtl, "request.ttl", CelType.Duration),
        (PolicyPath.RequestDelivery, "request.delivery", CelType.String),
        (PolicyPath.RequestParams, "request.params", CelType.MapOf(CelType.String, CelType.String)),
        (PolicyPath.ToolCallName, "toolCall.name", CelType.String),
        (PolicyPath.ToolCallArguments, "toolCall.arguments", Open),
        (PolicyPath.ProcessOwnerIssuer, "process.owner.issuer", CelType.String),
        (PolicyPath.ProcessOwnerSubject, "process.owner.subject", CelType.String),
        (PolicyPath.ProcessTolerates, "process.tolerates", CelType.Bool),
        (PolicyPath.DelegationDepth, "delegation.depth", CelType.Int),
        (PolicyPath.DelegationRoot, "delegation.root", CelType.String),
        (PolicyPath.DelegationParent, "delegation.parent", CelType.String),
        (PolicyPath.ContextGate, "context.gate", Texts),
    ];

    /// <summary>How conditions write a path.</summary>
    public static string NameOf(PolicyPath path) => Paths.Single(known => known.Path == path).Name;

    /// <summary>What a rule may read.</summary>
    public static readonly CelSchema Rule = new(
        Paths.OrderBy(path => path.Path).Select(path => (path.Name, path.Type))
    );

    /// <summary>What an agent's condition may read: the identity alone, in the same slots.</summary>
    public static readonly CelSchema Member = new(
        Paths
            .OrderBy(path => path.Path)
            .TakeWhile(path => path.Path <= PolicyPath.IdentityClaims)
            .Select(path => (path.Name, path.Type))
    );

    /// <summary>What another issuer could mint too: a condition that reads one of these must say whose it is.</summary>
    public static readonly IReadOnlyList<string> BoundToSource =
    [
        "identity.subject",
        "identity.workload",
        "identity.instance",
        "identity.claims",
    ];

    /// <summary>What says whose it is, compared by <c>==</c> with a literal.</summary>
    public static readonly IReadOnlyList<string> Sources = ["agent", "identity.issuer", "identity.trustDomain"];
}

/// <summary>The slots, the identity's first.</summary>
internal enum PolicyPath
{
    IdentityIssuer,
    IdentitySubject,
    IdentityWorkload,
    IdentityInstance,
    IdentitySpiffeId,
    IdentityTrustDomain,
    IdentityProof,
    IdentityClaims,
    Agent,
    TaskId,
    TaskProcess,
    TaskPurpose,
    TaskOnBehalfOfIssuer,
    TaskOnBehalfOfSubject,
    CredentialName,
    CredentialEngine,
    CredentialAccess,
    CredentialCategory,
    CredentialImpact,
    CredentialRevocation,
    CredentialReversible,
    RequestActions,
    RequestResource,
    RequestTtl,
    RequestDelivery,
    RequestParams,
    ToolCallName,
    ToolCallArguments,
    ProcessOwnerIssuer,
    ProcessOwnerSubject,
    ProcessTolerates,
    DelegationDepth,
    DelegationRoot,
    DelegationParent,
    ContextGate,
}
