using CredBroker.Client;
using CredBroker.Core.Holds;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Input;

namespace CredBroker.Server.Endpoints.Revocations;

/// <summary>Selectors of leases as admins send them. One that selects nothing, or only by blanks, is refused.</summary>
internal static class Selectors
{
    /// <summary>The selector of an order, or what is wrong with it.</summary>
    public static Checked<LeaseSelector> Bind(RevocationRequest body)
    {
        var check = new FieldCheck();
        check.Text("reason", body.Reason, FieldCheck.MaxPurpose);
        if (body.Hold is not null and not RevocationRequest.UntilLifted)
        {
            check.Require(
                WireDuration.TryParse(body.Hold, out var lasts) && lasts <= HoldOrders.MaxTime,
                $"hold must be a time of at most {HoldOrders.MaxTime.TotalHours:0}h such as 2h, or {RevocationRequest.UntilLifted}."
            );
        }

        return Bind(
            body,
            check,
            body.Everything == true,
            isConfirmed: body.Confirm == true || body.DryRun == true,
            isHeld: body.Hold is not null
        );
    }

    /// <summary>The selector of a hold, or what is wrong with it.</summary>
    public static Checked<LeaseSelector> Bind(HoldRequest body)
    {
        var check = new FieldCheck();
        check.Text("reason", body.Reason, FieldCheck.MaxPurpose);
        check.Require(
            body.For is null || body.For <= HoldOrders.MaxTime,
            $"for must be at most {HoldOrders.MaxTime.TotalHours:0}h; leave it out to hold until it is lifted."
        );
        return Bind(body, check, body.Everything == true, isConfirmed: body.Confirm == true, isHeld: true);
    }

    /// <summary>How long an order holds what it revokes; null until it is lifted. Checked before.</summary>
    public static TimeSpan? HoldTime(RevocationRequest body) =>
        WireDuration.TryParse(body.Hold, out var lasts) ? lasts : null;

    /// <summary>The answer with the selector's fields that are set.</summary>
    public static TSelection Describe<TSelection>(LeaseSelector selector, TSelection answer)
        where TSelection : LeaseSelection =>
        answer with
        {
            Lease = selector.Lease,
            Agent = selector.Agent,
            Workload = selector.Workload,
            Instance = selector.Instance,
            Subject = selector.Subject,
            Task = selector.Task,
            Process = selector.Process,
            Credential = selector.Credential,
            Owner = selector.Owner,
            Issuer = selector.Issuer,
            TrustDomain = selector.TrustDomain,
        };

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

    private static Checked<LeaseSelector> Bind(
        LeaseSelection body,
        FieldCheck check,
        bool everything,
        bool isConfirmed,
        bool isHeld
    )
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
        Check(check, selector);
        return (check.Refusal ?? Contradiction(selector, everything, isConfirmed, isHeld)) is { } refusal
            ? refusal
            : selector with
            {
                Everything = everything,
            };
    }

    private static Refusal? Contradiction(LeaseSelector selector, bool everything, bool isConfirmed, bool isHeld) =>
        (everything, selector.IsEmpty) switch
        {
            (true, false) => new(
                RefusalCode.SelectorInvalid,
                "everything stands alone; leave the other fields out, or everything."
            ),
            (false, true) => new(
                RefusalCode.SelectorInvalid,
                "Say what is meant: at least one of lease, agent, workload, "
                    + "instance, subject, task, process, credential, owner, issuer, trustDomain, or everything."
            ),
            (true, true) when !isConfirmed => new(RefusalCode.ConfirmationMissing, "Everything needs confirm: true."),
            (false, false) when isHeld && selector.Lease is not null => new(
                RefusalCode.SelectorInvalid,
                "A lease cannot be held by its id, because a new one has another: "
                    + "hold its agent, workload, instance, task or credential."
            ),
            _ => null,
        };
}
