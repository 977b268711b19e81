using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Input;

namespace CredBroker.Server.Endpoints.Access;

/// <summary>
/// AuthZEN's words as the policy's: the resource's type is the credential, its id the resource; the action is the action
/// and, where there are properties, the tool call; the context names process and task.
/// </summary>
internal static class AccessMapping
{
    /// <summary>The type of the subject that an agent has for itself.</summary>
    public const string Agent = "agent";

    private const string Resource = "resource";

    private static readonly Refusal ForOthers = new(
        RefusalCode.RoleMissing,
        "An agent asks for itself: subject.type is \"agent\", subject.id the subject of its own token. "
            + "To ask for others takes a person with the role viewer, auditor or admin."
    );

    /// <summary>What is presented is no approval that this broker gave.</summary>
    public static readonly Refusal NotAnApproval = new(
        RefusalCode.ApprovalNotFound,
        "context.approval is none that this broker gave you. Present it exactly as it was given."
    );

    /// <summary>What is wrong with a question that must be complete; null where nothing is.</summary>
    public static Refusal? FaultOf(AccessQuestion question)
    {
        var check = new FieldCheck();
        check.Require(question.Subject is not null, "subject is missing.");
        check.Require(question.Action is not null, "action is missing.");
        check.Require(question.Resource is not null, "resource is missing.");
        CheckParts(question, check);
        return check.Refusal;
    }

    /// <summary>The same of one whose parts may be missing, but not be incomplete.</summary>
    public static Refusal? FaultOfDefaults(AccessQuestion question)
    {
        var check = new FieldCheck();
        CheckParts(question, check);
        return check.Refusal;
    }

    /// <summary>Why an agent may not ask this; null where it asks for itself.</summary>
    public static Refusal? FaultOfSelf(AccessQuestion question, WorkloadIdentity caller) =>
        question.Subject is { Type: Agent } subject && (subject.Id == caller.Subject || subject.Id == caller.SpiffeId)
            ? null
            : ForOthers;

    /// <summary>The task that the question's circumstances declare.</summary>
    public static AgentTask Task(AccessQuestion question, string? process) =>
        new(question.Context?.Task ?? "", process ?? "", question.Context?.Purpose ?? "");

    /// <summary>What a complete question asks for.</summary>
    public static CredentialRequest Request(AccessQuestion question) =>
        Request(question, ToolCall(question.Action!, question.Resource!));

    /// <summary>The same, with its tool call made already.</summary>
    public static CredentialRequest Request(AccessQuestion question, ToolCall? call) =>
        new()
        {
            Credential = question.Resource!.Type!,
            Actions = [question.Action!.Name!],
            Resource = question.Resource.Id!,
            ToolCall = call,
        };

    /// <summary>A denial, as the answer to one question of several.</summary>
    public static AccessDecision Denied(Refusal refusal) =>
        new()
        {
            Decision = false,
            Context = new() { Code = refusal.CodeText, Reason = refusal.Detail },
        };

    private static void CheckParts(AccessQuestion question, FieldCheck check)
    {
        if (question.Subject is { } subject)
        {
            Text("subject.type", subject.Type, FieldCheck.MaxName);
            check.Require(subject.Id is not null, "subject.id is missing.");
            check.IdentityText("subject.id", subject.Id);
        }

        if (question.Action is { } action)
        {
            Text("action.name", action.Name, FieldCheck.MaxName);
        }

        if (question.Resource is { } resource)
        {
            Text("resource.type", resource.Type, FieldCheck.MaxName);
            Text("resource.id", resource.Id, FieldCheck.MaxPurpose);
        }

        check.Text("context.process", question.Context?.Process, FieldCheck.MaxName);
        check.Text("context.task", question.Context?.Task, FieldCheck.MaxName);
        check.Text("context.purpose", question.Context?.Purpose, FieldCheck.MaxPurpose);

        void Text(string field, string? value, int max)
        {
            check.Require(value is not null, $"{field} is missing.");
            check.Text(field, value, max);
        }
    }

    /// <summary>
    /// An identity that a person supposes. Without an issuer of its own it has one that no token can have: its type's.
    /// </summary>
    public static Checked<WorkloadIdentity> Supposed(AccessSubject subject)
    {
        var claims = new Dictionary<string, JsonElement>(
            subject.Properties ?? new Dictionary<string, JsonElement>(),
            StringComparer.Ordinal
        );
        var check = new FieldCheck();
        var identity = new WorkloadIdentity
        {
            Issuer = Take("issuer") ?? $"authzen:{subject.Type}",
            Subject = subject.Id!,
            Workload = Take("workload") ?? subject.Id!,
            Instance = Take("instance") ?? "",
            SpiffeId = Take("spiffeId") ?? "",
            TrustDomain = Take("trustDomain") ?? "",
            Proof = Take("proof") switch
            {
                null or "oidc" => ProofMethod.Oidc,
                "jwt-svid" => ProofMethod.JwtSvid,
                _ => Unknown(),
            },
            Claims = claims,
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "",
        };
        return check.Of(identity);

        string? Take(string name)
        {
            if (!claims.Remove(name, out var value))
            {
                return null;
            }

            check.Require(value.ValueKind == JsonValueKind.String, $"subject.properties.{name} must be text.");
            var text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            check.IdentityText($"subject.properties.{name}", text);
            return text;
        }

        ProofMethod Unknown()
        {
            check.Require(false, "subject.properties.proof must be \"oidc\" or \"jwt-svid\".");
            return default;
        }
    }

    /// <summary>
    /// The tool call that the properties are; null where there are none. The resource's are its argument of that name,
    /// whatever the action's say.
    /// </summary>
    public static ToolCall? ToolCall(AccessAction action, AccessResource resource)
    {
        if (action.Properties is null && resource.Properties is null)
        {
            return null;
        }

        var arguments = new Dictionary<string, JsonElement>(
            action.Properties ?? new Dictionary<string, JsonElement>(),
            StringComparer.Ordinal
        );
        if (resource.Properties is { } properties)
        {
            arguments[Resource] = JsonSerializer.SerializeToElement(
                new(properties),
                AccessJson.Default.DictionaryStringJsonElement
            );
        }

        return new(
            action.Name!,
            JsonSerializer.SerializeToElement(arguments, AccessJson.Default.DictionaryStringJsonElement)
        );
    }
}
