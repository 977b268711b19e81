using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>
/// What an approval binds, as one digest: everything that the request says, who asks and with which key, and what policy
/// made of it, down to where Vault makes the secret. What differs in any of it has another digest; what only says the
/// same in another way (the order of an object's members, <c>1.0</c> for <c>1</c>) has not.
/// </summary>
public static class ApprovalDigest
{
    /// <summary>SHA-256 of the canonical form, as lower-case hex.</summary>
    /// <param name="identity">Who asks for the credential, also where another redeems the approval.</param>
    /// <param name="task">The declared task.</param>
    /// <param name="request">The whole request.</param>
    /// <param name="decision">The challenge, or what a redemption resolved to.</param>
    /// <exception cref="ArgumentException">A text is no Unicode, so that two of them would have one digest.</exception>
    public static string Of(WorkloadIdentity identity, AgentTask task, CredentialRequest request, Decision decision)
    {
        return Of(BindingOf(identity, task, request, decision));
    }

    /// <summary>
    /// What a time box binds: the same members, but for what may differ within it, the purpose, the actions and the life,
    /// and what follows from these in the grant. Whoever compares it has to compare the actions and the life besides.
    /// </summary>
    /// <inheritdoc cref="Of(WorkloadIdentity, AgentTask, CredentialRequest, Decision)"/>
    public static string OfTimeBox(
        WorkloadIdentity identity,
        AgentTask task,
        CredentialRequest request,
        Decision decision
    ) =>
        Of(
            BindingOf(
                identity,
                task with
                {
                    Purpose = "",
                },
                request with
                {
                    Actions = [],
                    Ttl = null,
                },
                decision with
                {
                    Grant = decision.Grant is { } grant ? grant with { Ttl = TimeSpan.Zero, TtlCut = false } : null,
                }
            ) with
            {
                Form = "credbroker-timebox/1",
            }
        );

    /// <summary>The digest of one value, such as an argument that a person may compare and not read.</summary>
    internal static string Of(JsonElement value) =>
        Convert.ToHexStringLower(SHA256.HashData(CanonicalJson.Exact(value)));

    private static string Of(ApprovalBinding bound) =>
        Of(JsonSerializer.SerializeToElement(bound, ApprovalBindingJson.Default.ApprovalBinding));

    private static ApprovalBinding BindingOf(
        WorkloadIdentity identity,
        AgentTask task,
        CredentialRequest request,
        Decision decision
    ) =>
        new()
        {
            Proof = identity.Proof,
            Issuer = identity.Issuer,
            Subject = identity.Subject,
            Workload = identity.Workload,
            Instance = identity.Instance,
            SpiffeId = identity.SpiffeId,
            TrustDomain = identity.TrustDomain,
            Claims = identity.Claims,
            ConfirmationKey = identity.ConfirmationKey,
            Task = task,
            Request = request,
            Agent = decision.Agent,
            Executor = decision.Approval?.Executor ?? "",
            RuleId = decision.RuleId,
            MatchedRules = decision.MatchedRules,
            Gate = decision.Gate,
            Obligations = decision.Obligations,
            Grant = decision.Grant,
        };
}

/// <summary>
/// The members of the form. Left out are the proof's own end and hash, which each new token changes, and of the decision
/// what is only said of it: its words, and the policy's hash, which an edit elsewhere changes, too.
/// </summary>
internal sealed record ApprovalBinding
{
    /// <summary>What is hashed, and how: another form has another name.</summary>
    public string Form { get; init; } = "credbroker-approval/1";

    public required ProofMethod Proof { get; init; }

    public required string Issuer { get; init; }

    public required string Subject { get; init; }

    public required string Workload { get; init; }

    public required string Instance { get; init; }

    public required string SpiffeId { get; init; }

    public required string TrustDomain { get; init; }

    public required IReadOnlyDictionary<string, JsonElement> Claims { get; init; }

    public required ConfirmationKey? ConfirmationKey { get; init; }

    public required AgentTask Task { get; init; }

    public required CredentialRequest Request { get; init; }

    public required string Agent { get; init; }

    public required string Executor { get; init; }

    public required string RuleId { get; init; }

    public required IReadOnlyList<string> MatchedRules { get; init; }

    public required IReadOnlyList<GateCondition> Gate { get; init; }

    public required IReadOnlyList<Obligation> Obligations { get; init; }

    public required Grant? Grant { get; init; }
}

/// <summary>How the form is written before it becomes canonical.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(WholeTextConverter)]
)]
[JsonSerializable(typeof(ApprovalBinding))]
internal sealed partial class ApprovalBindingJson : JsonSerializerContext;
