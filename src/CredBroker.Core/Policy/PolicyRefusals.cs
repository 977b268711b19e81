using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy;

/// <summary>What an agent is told when policy says no: what it may do next, and nothing about the rules.</summary>
internal static class PolicyRefusals
{
    public static readonly Refusal ProcessUnknown = new(
        RefusalCode.ProcessUnknown,
        "There is no such process. Name the process that your task belongs to."
    );

    public static readonly Refusal ProcessNotAdmitted = new(
        RefusalCode.ProcessNotAdmitted,
        "This identity may not act in that process. "
            + "Use the identity that is registered for it, or name another process."
    );

    public static readonly Refusal AgentAmbiguous = new(
        RefusalCode.AgentAmbiguous,
        "This identity fits more than one agent of that process. Stop, and report the decision to the process's owner."
    );

    public static readonly Refusal CredentialUnknown = new(
        RefusalCode.CredentialUnknown,
        "There is no such credential. Check its name."
    );

    public static readonly Refusal ActionNotOffered = new(
        RefusalCode.ActionNotOffered,
        "The credential does not offer every action that was asked for, or none was. "
            + "Ask for fewer actions, at least one, or for another credential."
    );

    public static readonly Refusal TtlTooShort = new(RefusalCode.FieldInvalid, "ttl must be at least one second.");

    public static readonly Refusal ToolMissing = new(
        RefusalCode.ToolArgumentsInvalid,
        "The credential is for tool calls alone: name in `toolCall` the tool that the secret is for, with its arguments."
    );

    public static readonly Refusal ToolUnknown = new(
        RefusalCode.ToolArgumentsInvalid,
        "The credential is not offered for that tool."
    );

    public static readonly Refusal RuleFailed = new(
        RefusalCode.RuleFailed,
        "The policy could not be evaluated for this request. If a tool call belongs to it, send every argument "
            + "that the tool takes; otherwise stop, and report the decision."
    );

    public static readonly Refusal DeniedByRule = new(
        RefusalCode.DeniedByRule,
        "Policy denies this. Ask for less, or stop."
    );

    public static readonly Refusal NoRuleAllows = new(
        RefusalCode.NoRuleAllows,
        "Policy does not allow this. Ask for another credential, fewer actions or a shorter ttl, or stop."
    );

    public static readonly Refusal GateDenied = new(
        RefusalCode.GateDenied,
        "A high-impact step that cannot be undone may not run on its own here. Prepare it, and leave it to a person."
    );

    public static readonly Refusal ApprovalNeeded = new(
        RefusalCode.ApprovalNeeded,
        "A person has to approve this first, and nobody has. Wait for the answer to your request, or stop."
    );

    public static readonly Refusal NobodyToAsk = new(
        RefusalCode.NobodyToAsk,
        "This step needs a person's approval, and there is nobody who could give it. Stop, and report the decision."
    );

    public static readonly Refusal ExecutorsDiffer = new(
        RefusalCode.ExecutorsDiffer,
        "Policy leaves this step to more than one other agent, so none can take it. Stop, and report the decision."
    );

    public static Refusal Params(string fault) =>
        new(RefusalCode.ParamsInvalid, $"The request's params do not fit the credential: {fault}.");

    public static Refusal ToolArguments(string fault) =>
        new(RefusalCode.ToolArgumentsInvalid, $"The tool call's arguments do not fit what the tool takes: {fault}.");
}
