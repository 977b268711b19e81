using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.UnitTests.Policy;

/// <summary>What an agent is told names nothing of the policy that the agent did not say itself.</summary>
public sealed class RefusalTests
{
    private static readonly (
        RefusalCode Code,
        WorkloadIdentity Identity,
        AgentTask Task,
        CredentialRequest Request
    )[] Denied =
    [
        (RefusalCode.ProcessUnknown, Samples.Triage, Samples.TriageTask with { Process = "zzz" }, Samples.ReadBilling),
        (RefusalCode.ProcessNotAdmitted, Samples.Triage, Samples.PaymentTask, Samples.ReadBilling),
        (RefusalCode.AgentAmbiguous, Samples.Payer, Samples.PaymentTask with { Process = "both" }, Samples.ReadBilling),
        (
            RefusalCode.CredentialUnknown,
            Samples.Triage,
            Samples.TriageTask,
            Samples.ReadBilling with
            {
                Credential = "zzz",
            }
        ),
        (
            RefusalCode.ActionNotOffered,
            Samples.Triage,
            Samples.TriageTask,
            Samples.ReadBilling with
            {
                Actions = ["zzz"],
            }
        ),
        (
            RefusalCode.ToolArgumentsInvalid,
            Samples.Payer,
            Samples.PaymentTask,
            Samples.Transfer with
            {
                ToolCall = new("transfer", Samples.Json("{}")),
            }
        ),
        (
            RefusalCode.ToolArgumentsInvalid,
            Samples.Payer,
            Samples.PaymentTask,
            Samples.Transfer with
            {
                ToolCall = new("zzz", Samples.Json("{}")),
            }
        ),
        (
            RefusalCode.ParamsInvalid,
            Samples.Triage,
            Samples.TriageTask,
            Samples.ReadBilling with
            {
                Params = new Dictionary<string, string> { ["zzz"] = "zzz" },
            }
        ),
        (RefusalCode.NoRuleAllows, Samples.Payer, Samples.PaymentTask, Samples.ReadBilling),
        (
            RefusalCode.DeniedByRule,
            Samples.Triage,
            Samples.TriageTask,
            Samples.ReadBilling with
            {
                Resource = "denied",
            }
        ),
        (RefusalCode.RuleFailed, Samples.Triage, Samples.TriageTask, Samples.ReadBilling with { Resource = "failing" }),
        (RefusalCode.GateDenied, Samples.Payer, Samples.PaymentTask, Samples.Transfer),
        (RefusalCode.NobodyToAsk, Samples.Triage, Samples.TriageTask, Samples.ReadBilling with { Resource = "vain" }),
        (
            RefusalCode.ExecutorsDiffer,
            Samples.Triage,
            Samples.TriageTask,
            Samples.ReadBilling with
            {
                Resource = "twice",
            }
        ),
        (
            RefusalCode.ApprovalNeeded,
            Samples.Triage with
            {
                Instance = "",
            },
            Samples.TriageTask,
            new CredentialRequest { Credential = "agent-mtls", Actions = ["connect"] }
        ),
    ];

    public static TheoryData<int> Rows => [.. Enumerable.Range(0, Denied.Length)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_denial_tells_the_agent_what_to_do_and_leaks_no_policy(int row)
    {
        var (code, identity, task, request) = Denied[row];
        var policy = Samples.Policy(
            ("    acceptsUnrevocable: [agent-mtls]", "   "),
            ("  payments:\n", "  both: { toleratesRuntimeAction: true, agents: [payer, payer-twin] }\n  payments:\n"),
            (
                "processes:\n",
                "  payer-twin: { member: 'identity.issuer == \"https://idp.acme.example\"' }\nprocesses:\n"
            ),
            (
                "rules:\n",
                "rules:\n  - { id: hidden-deny, effect: deny, when: 'request.resource == \"denied\"' }\n"
                    + "  - { id: hidden-failure, effect: deny, when: 'request.resource == \"failing\" "
                    + "&& toolCall.arguments.hidden == 1' }\n"
                    + "  - { id: hidden-ask, effect: challenge, when: 'request.resource in [\"vain\", \"twice\"]', "
                    + "approval: { approvers: [owner], expiresAfter: 1h, executor: triage } }\n"
                    + "  - { id: hidden-vain, effect: challenge, when: 'request.resource == \"vain\"', approval: "
                    + "{ approvers: [{ issuer: \"spiffe://acme.example\", "
                    + "subject: \"spiffe://acme.example/agents/triage/7\" }], expiresAfter: 1h } }\n"
                    + "  - { id: hidden-twice, effect: challenge, when: 'request.resource == \"twice\"', "
                    + "approval: { approvers: [owner], expiresAfter: 1h, executor: payer } }\n"
            )
        );

        var decision = policy.Evaluate(identity, task, request);

        Assert.Equal(code, decision.Refusal?.Code);
        Assert.NotEmpty(decision.Explanation);
        Assert.InRange(decision.Refusal!.Detail.Length, 20, 300);
        string[] secrets =
        [
            .. policy.Processes.Keys,
            .. policy.Credentials.Keys,
            "payer-twin",
            "executor",
            "hidden",
            "triage",
            "resource",
            "finance",
            "treasury",
            "acme",
            "idp",
            "money",
            "50000",
            "summarise",
            "connect",
            "transfer",
        ];
        Assert.DoesNotContain(
            secrets,
            secret => decision.Refusal.Detail.Contains(secret, StringComparison.OrdinalIgnoreCase)
        );
    }

    [Fact]
    public void Every_policy_code_but_those_of_the_store_is_told()
    {
        var told = Denied.Select(row => row.Code).Distinct();
        RefusalCode[] elsewhere =
        [
            RefusalCode.PolicyMissing,
            RefusalCode.TaskClosed,
            RefusalCode.TaskOwnedByAnother,
            RefusalCode.RevokedMeanwhile,
            RefusalCode.PolicyChanging,
            RefusalCode.Held,
            RefusalCode.LimitReached,
        ];

        var policyCodes = Enum.GetValues<RefusalCode>()
            .Where(code => (int)code is >= 2000 and < 3000 && !elsewhere.Contains(code));

        Assert.Equal(policyCodes.Order(), told.Order());
    }
}
