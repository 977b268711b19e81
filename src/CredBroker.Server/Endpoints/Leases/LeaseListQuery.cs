using System.ComponentModel;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Revocations;
using Microsoft.AspNetCore.Mvc;
using WireStates = CredBroker.Client.LeaseStates;

namespace CredBroker.Server.Endpoints.Leases;

/// <summary>The query of <c>GET /v1/leases</c>. All that is given must hold.</summary>
internal sealed record LeaseListQuery
{
    [FromQuery(Name = "lease"), Description("One lease.")]
    public string? Lease { get; init; }

    [FromQuery(Name = "idPrefix"), Description("Leases whose id begins with these hexadecimal digits.")]
    public string? IdPrefix { get; init; }

    [FromQuery(Name = "agent"), Description("An entry of the policy's agents.")]
    public string? Agent { get; init; }

    [FromQuery(Name = "workload"), Description("The workload's name.")]
    public string? Workload { get; init; }

    [FromQuery(Name = "instance"), Description("One running instance.")]
    public string? Instance { get; init; }

    [FromQuery(Name = "subject"), Description("The token's subject.")]
    public string? Subject { get; init; }

    [FromQuery(Name = "task"), Description("A task's id.")]
    public string? Task { get; init; }

    [FromQuery(Name = "process"), Description("A business process.")]
    public string? Process { get; init; }

    [FromQuery(Name = "credential"), Description("A catalogue entry.")]
    public string? Credential { get; init; }

    [FromQuery(Name = "owner"), Description("The process owner's subject.")]
    public string? Owner { get; init; }

    [FromQuery(Name = "issuer"), Description("The identity's issuer.")]
    public string? Issuer { get; init; }

    [FromQuery(Name = "trustDomain"), Description("The SPIFFE trust domain.")]
    public string? TrustDomain { get; init; }

    [FromQuery(Name = "revocation"), Description("Leases taken by this revocation.")]
    public string? Revocation { get; init; }

    [
        FromQuery(Name = "state"),
        Description(
            "States: pending, active, revoking, failed, revoked, ended. "
                + "May be given several times, or separated by commas."
        )
    ]
    public string[]? State { get; init; }

    [FromQuery(Name = "cursor"), Description("Continues a list: the answer's next.")]
    public string? Cursor { get; init; }

    [FromQuery(Name = "limit"), Description("At most this many, 1 to 1000; 100 if absent.")]
    public int? Limit { get; init; }

    /// <summary>The query as the store takes it, or what is wrong with it.</summary>
    public Checked<LeaseQuery> Bind(IQueryCollection query)
    {
        var check = new FieldCheck();
        foreach (var key in query.Keys)
        {
            check.Require(
                Known.Contains(key),
                $"\"{(key.Length <= 40 ? key : key[..40])}\" is not a filter; known are {string.Join(", ", Known)}."
            );
            check.Require(query[key].Count == 1 || key == "state", $"{key} must be given once.");
        }

        var selector = new LeaseSelector
        {
            Lease = Lease,
            Agent = Agent,
            Workload = Workload,
            Instance = Instance,
            Subject = Subject,
            Task = Task,
            Process = Process,
            Credential = Credential,
            Owner = Owner,
            Issuer = Issuer,
            TrustDomain = TrustDomain,
        };
        Selectors.Check(check, selector);
        check.OptionalId("revocation", Revocation);
        check.Require(IdPrefix is null || Ids.IsPrefix(IdPrefix), Ids.PrefixRule);
        check.Require(Limit is null or (>= 1 and <= 1000), "limit must lie between 1 and 1000.");
        var states = (State ?? []).SelectMany(text => text.Split(',')).ToList();
        check.Require(
            states.TrueForAll(WireStates.All.Contains),
            $"state must be one of {string.Join(", ", WireStates.All)}."
        );
        if (check.Refusal is { } refusal)
        {
            return refusal;
        }

        if (Cursor is not null && !Ids.IsValid(Cursor))
        {
            return new Refusal(RefusalCode.RangeInvalid, "cursor must be the next of an earlier answer.");
        }

        return new LeaseQuery
        {
            Selector = selector,
            States = [.. states.Select(state => Enum.Parse<LeaseState>(state, ignoreCase: true))],
            RevocationId = Revocation,
            IdPrefix = IdPrefix,
            After = Cursor,
            Limit = Limit ?? 100,
        };
    }

    /// <summary>Every parameter of the call.</summary>
    public static readonly IReadOnlyList<string> Known =
    [
        "lease",
        "idPrefix",
        "agent",
        "workload",
        "instance",
        "subject",
        "task",
        "process",
        "credential",
        "owner",
        "issuer",
        "trustDomain",
        "revocation",
        "state",
        "cursor",
        "limit",
    ];
}
