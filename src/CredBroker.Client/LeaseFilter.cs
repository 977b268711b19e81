using System.Globalization;
using System.Text;

namespace CredBroker.Client;

/// <summary>Which leases <c>GET /v1/leases</c> lists: all that is set must hold.</summary>
public sealed record LeaseFilter
{
    /// <summary>One lease.</summary>
    public string? Lease { get; init; }

    /// <summary>An entry of the policy's <c>agents</c>.</summary>
    public string? Agent { get; init; }

    /// <summary>The workload's name.</summary>
    public string? Workload { get; init; }

    /// <summary>One running instance.</summary>
    public string? Instance { get; init; }

    /// <summary>The token's subject.</summary>
    public string? Subject { get; init; }

    /// <summary>A task's id.</summary>
    public string? Task { get; init; }

    /// <summary>A business process.</summary>
    public string? Process { get; init; }

    /// <summary>A catalogue entry.</summary>
    public string? Credential { get; init; }

    /// <summary>The process owner's subject.</summary>
    public string? Owner { get; init; }

    /// <summary>The identity's issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary>The SPIFFE trust domain.</summary>
    public string? TrustDomain { get; init; }

    /// <summary>
    /// States wanted, of <see cref="LeaseStates"/>; empty means every state. Said as a repeated <c>state</c>.
    /// </summary>
    public IReadOnlyList<string> States { get; init; } = [];

    /// <summary>At most this many, 1 to 1,000; absent means 100.</summary>
    public int? Limit { get; init; }

    /// <summary><see cref="LeaseListResponse.Next"/> of the page before.</summary>
    public string? Cursor { get; init; }

    internal string ToQuery()
    {
        var query = new StringBuilder();
        void Add(string name, string? value)
        {
            if (value is not null)
            {
                query
                    .Append(query.Length == 0 ? '?' : '&')
                    .Append(name)
                    .Append('=')
                    .Append(Uri.EscapeDataString(value));
            }
        }

        Add("lease", Lease);
        Add("agent", Agent);
        Add("workload", Workload);
        Add("instance", Instance);
        Add("subject", Subject);
        Add("task", Task);
        Add("process", Process);
        Add("credential", Credential);
        Add("owner", Owner);
        Add("issuer", Issuer);
        Add("trustDomain", TrustDomain);
        foreach (var state in States)
        {
            Add("state", state);
        }

        Add("limit", Limit?.ToString(CultureInfo.InvariantCulture));
        Add("cursor", Cursor);
        return query.ToString();
    }
}
