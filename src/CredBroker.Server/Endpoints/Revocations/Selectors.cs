using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Input;

namespace CredBroker.Server.Endpoints.Revocations;

/// <summary>Selectors of leases as admins send them.</summary>
internal static class Selectors
{
    /// <summary>The selector of an order, or what is wrong with it.</summary>
    public static Checked<LeaseSelector> Bind(RevocationRequest body)
    {
        var selector = new LeaseSelector
        {
            Lease = body.Lease,
            Agent = body.Agent,
            Workload = body.Workload,
            Instance = body.Instance,
            Subject = body.Subject,
            Task = body.Task,
            Process = body.Process,
            Credential = body.Credential,
            Owner = body.Owner,
            Issuer = body.Issuer,
            TrustDomain = body.TrustDomain,
        };
        var check = new FieldCheck();
        Check(check, selector);
        check.Text("reason", body.Reason, FieldCheck.MaxPurpose);
        check.Require(
            body.Hold is null,
            "hold is not supported yet: this broker revokes what there is and does not refuse what comes after."
        );
        return (check.Refusal ?? Contradiction(selector, body)) is { } refusal
            ? refusal
            : selector with
            {
                Everything = body.Everything == true,
            };
    }

    /// <summary>Checks the form of a selector's fields.</summary>
    public static void Check(FieldCheck check, LeaseSelector selector)
    {
        check.OptionalId("lease", selector.Lease);
        check.OptionalName("agent", selector.Agent);
        check.OptionalName("task", selector.Task);
        check.OptionalName("process", selector.Process);
        check.OptionalName("credential", selector.Credential);
        check.IdentityText("workload", selector.Workload);
        check.IdentityText("instance", selector.Instance);
        check.IdentityText("subject", selector.Subject);
        check.IdentityText("owner", selector.Owner);
        check.IdentityText("issuer", selector.Issuer);
        check.IdentityText("trustDomain", selector.TrustDomain);
    }

    private static Refusal? Contradiction(LeaseSelector selector, RevocationRequest body) =>
        (Everything: body.Everything == true, selector.IsEmpty) switch
        {
            (true, false) => new(
                RefusalCode.SelectorInvalid,
                "everything stands alone; leave the other fields out, or everything."
            ),
            (false, true) => new(
                RefusalCode.SelectorInvalid,
                "Say what to revoke: at least one of lease, agent, workload, "
                    + "instance, subject, task, process, credential, owner, issuer, trustDomain, or everything."
            ),
            (true, true) when body is { Confirm: not true, DryRun: not true } => new(
                RefusalCode.ConfirmationMissing,
                "Revoking everything needs confirm: true."
            ),
            _ => null,
        };
}
