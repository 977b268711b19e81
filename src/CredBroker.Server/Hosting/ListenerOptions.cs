namespace CredBroker.Server.Hosting;

/// <summary>Where the broker listens and how much it takes on at once. Bound from the section <c>Listen</c>.</summary>
public sealed record ListenerOptions
{
    private const string Section = "Listen";

    /// <summary>Where agents call. Without <see cref="People"/> people call here too.</summary>
    public ListenerAddressOptions Agents { get; init; } = new() { Url = "https://127.0.0.1:8443" };

    /// <summary>
    /// Where people call: admins, auditors, viewers. If it is set, neither address answers the other's calls, so that
    /// the power to revoke and to export can be kept off the network that agents reach. Null means one address for both.
    /// </summary>
    public ListenerAddressOptions? People { get; init; }

    /// <summary>
    /// Where metrics are fetched (<c>GET /metrics</c>, in Prometheus' text format) and nothing else is answered but health.
    /// Nobody is asked who they are: let the address be one that only the monitoring reaches. Null means nowhere.
    /// </summary>
    public ListenerAddressOptions? Metrics { get; init; }

    /// <summary>
    /// Connections held open at once at each address. Where there are so many, a new one takes the place of the one that
    /// has been idle for longest, and is not accepted while none is idle.
    /// </summary>
    public int MaxConnections { get; init; } = 4096;

    /// <summary>
    /// How many of them one remote address may hold (of IPv6, one /64). Everybody behind a proxy or a NAT is one.
    /// </summary>
    public int MaxConnectionsPerAddress { get; init; } = 1024;

    /// <summary>
    /// Requests worked on at once at each address; more are answered with CB6013 and <c>Retry-After</c>. The last eighth
    /// is kept for people, and half of that for admins' orders.
    /// </summary>
    public int MaxRequests { get; init; } = 1024;

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        foreach (var fault in Agents.Validate($"{Section}:{nameof(Agents)}"))
        {
            yield return fault;
        }

        foreach (var fault in People?.Validate($"{Section}:{nameof(People)}") ?? [])
        {
            yield return fault;
        }

        foreach (var fault in Metrics?.Validate($"{Section}:{nameof(Metrics)}") ?? [])
        {
            yield return fault;
        }

        if (Metrics is { } metrics && (metrics.Overlaps(Agents) || People?.Overlaps(metrics) == true))
        {
            yield return $"{Section}:Metrics:Url is \"{metrics.Url}\", where agents' or people's calls are answered; "
                + "write another port or address.";
        }

        if (People?.Overlaps(Agents) == true)
        {
            yield return $"{Section}:People:Url is \"{People.Url}\", where {Section}:Agents:Url listens already; "
                + $"write another port or address, or leave {Section}:People out: then the one address serves both.";
        }

        foreach (
            var (name, value, high) in new[]
            {
                (nameof(MaxConnections), MaxConnections, 100_000),
                (nameof(MaxConnectionsPerAddress), MaxConnectionsPerAddress, 100_000),
                (nameof(MaxRequests), MaxRequests, 100_000),
            }
        )
        {
            if (value < 1 || value > high)
            {
                yield return $"{Section}:{name} is {value}; write a number from 1 to {high}.";
            }
        }
    }
}
