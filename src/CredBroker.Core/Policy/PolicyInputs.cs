using System.Collections.ObjectModel;
using System.Text.Json;
using CredBroker.Cel;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy;

/// <summary>
/// What one decision is made from, read where a condition asks for it. Filled as the decision goes on: the identity
/// first, then the agent, the entry, the gate.
/// </summary>
internal class PolicyInputs(WorkloadIdentity identity, int locals) : CelFrame(locals)
{
    private static readonly CelValue Empty = CelValue.Of("");
    private static readonly CelValue NoArguments = CelValue.OfMembers(ReadOnlyDictionary<string, JsonElement>.Empty);

    private CelValue _claims;
    private CelValue _arguments;
    private CelValue _actions;

    public WorkloadIdentity Identity => identity;

    public string Agent { get; set; } = "";

    public AgentTask Task { get; init; } = new("", "", "");

    public CredentialRequest Request { get; init; } = null!;

    public BusinessProcess Process { get; init; } = null!;

    public CatalogueItem Credential { get; set; } = null!;

    public bool IsReversible { get; set; }

    public TimeSpan Ttl { get; set; }

    public CelValue FailedGate { get; set; }

    /// <summary>Whether the request may run on its own, as far as the autonomy gate goes.</summary>
    public bool IsGateOpen { get; set; }

    /// <inheritdoc/>
    public override CelValue Read(int slot) =>
        (PolicyPath)slot switch
        {
            PolicyPath.IdentityIssuer => CelValue.Of(identity.Issuer),
            PolicyPath.IdentitySubject => CelValue.Of(identity.Subject),
            PolicyPath.IdentityWorkload => CelValue.Of(identity.Workload),
            PolicyPath.IdentityInstance => CelValue.Of(identity.Instance),
            PolicyPath.IdentitySpiffeId => CelValue.Of(identity.SpiffeId),
            PolicyPath.IdentityTrustDomain => CelValue.Of(identity.TrustDomain),
            PolicyPath.IdentityProof => CelValue.Of(identity.Proof == ProofMethod.JwtSvid ? "jwt-svid" : "oidc"),
            PolicyPath.IdentityClaims => _claims.Kind == CelKind.Map
                ? _claims
                : _claims = CelValue.OfMembers(identity.Claims),
            PolicyPath.Agent => CelValue.Of(Agent),
            PolicyPath.TaskId => CelValue.Of(Task.Id),
            PolicyPath.TaskProcess => CelValue.Of(Task.Process),
            PolicyPath.TaskPurpose => CelValue.Of(Task.Purpose),
            PolicyPath.CredentialName => CelValue.Of(Credential.Entry.Name),
            PolicyPath.CredentialEngine => CelValue.Of(Credential.Entry.Vault.Engine),
            PolicyPath.CredentialAccess => CelValue.Of(Credential.Access),
            PolicyPath.CredentialCategory => CelValue.Of(Credential.Entry.Category),
            PolicyPath.CredentialImpact => CelValue.Of(Credential.Impact),
            PolicyPath.CredentialRevocation => CelValue.Of(Credential.Revocation),
            PolicyPath.CredentialReversible => CelValue.Of(IsReversible),
            PolicyPath.RequestActions => _actions.Kind == CelKind.List
                ? _actions
                : _actions = CelValue.OfTexts(Request.Actions),
            PolicyPath.RequestResource => CelValue.Of(Request.Resource),
            PolicyPath.RequestTtl => CelValue.Of(Ttl),
            PolicyPath.RequestDelivery => CelValue.Of(Request.Delivery),
            PolicyPath.RequestParams => CelValue.OfTexts(Request.Params ?? ReadOnlyDictionary<string, string>.Empty),
            PolicyPath.ToolCallName => CelValue.Of(Request.ToolCall?.Name ?? ""),
            PolicyPath.ToolCallArguments => _arguments.Kind == CelKind.Map
                ? _arguments
                : _arguments = ArgumentsOf(Request.ToolCall),
            PolicyPath.ProcessOwnerIssuer => CelValue.Of(Process.Owner?.Issuer ?? ""),
            PolicyPath.ProcessOwnerSubject => CelValue.Of(Process.Owner?.Subject ?? ""),
            PolicyPath.ProcessTolerates => CelValue.Of(Process.ToleratesRuntimeAction),
            PolicyPath.DelegationDepth => CelValue.Of(0L),
            PolicyPath.ContextGate => FailedGate,
            // Nobody acts for a person or another agent yet: these are empty, as declared scalars are.
            PolicyPath.TaskOnBehalfOfIssuer
            or PolicyPath.TaskOnBehalfOfSubject
            or PolicyPath.DelegationRoot
            or PolicyPath.DelegationParent => Empty,
            _ => throw new InvalidOperationException($"slot {slot}"),
        };

    private static CelValue ArgumentsOf(ToolCall? call) =>
        call is { Arguments: { ValueKind: JsonValueKind.Object } given } ? CelValue.OfObject(given) : NoArguments;
}
