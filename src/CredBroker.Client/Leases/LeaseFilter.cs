using System.Globalization;

namespace CredBroker.Client;

/// <summary>Which leases <c>GET /v1/leases</c> lists: all that is set must hold.</summary>
public sealed record LeaseFilter : LeaseSelection
{
    /// <summary>How the id begins: 1 to 32 hexadecimal digits.</summary>
    public string? IdPrefix { get; init; }

    /// <summary>Leases taken by this revocation.</summary>
    public string? Revocation { get; init; }

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
        var given = Fields()
            .Append(("idPrefix", IdPrefix))
            .Append(("revocation", Revocation))
            .Concat(States.Select(state => ("state", (string?)state)))
            .Append(("limit", Limit?.ToString(CultureInfo.InvariantCulture)))
            .Append(("cursor", Cursor))
            .Where(field => field.Item2 is not null)
            .Select(field => $"{field.Item1}={Uri.EscapeDataString(field.Item2!)}")
            .ToList();
        return given.Count == 0 ? "" : "?" + string.Join('&', given);
    }
}
