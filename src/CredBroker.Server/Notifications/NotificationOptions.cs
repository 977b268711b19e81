using CredBroker.Core.Identity;

namespace CredBroker.Server.Notifications;

/// <summary>
/// Who outside is told that an approval is asked, asked of more people, given, denied, over or taken back. Bound from the section
/// <c>Notifications</c>; brokers that share a store have the same.
/// </summary>
public sealed record NotificationOptions
{
    /// <summary>What stands for the request's id in <see cref="Link"/>.</summary>
    public const string IdPlace = "{approvalId}";

    /// <summary>The section's name.</summary>
    public const string Section = "Notifications";

    /// <summary>The addresses; without any, nobody is told.</summary>
    public IReadOnlyList<NotificationEndpointOptions> Endpoints { get; init; } = [];

    /// <summary>The addresses that agents may name as the callback of an access request.</summary>
    public IReadOnlyList<CallbackOptions> Callbacks { get; init; } = [];

    /// <summary>
    /// Where people look at a request: an https address with <see cref="IdPlace"/> in it. Empty: messages name the command
    /// instead.
    /// </summary>
    public string Link { get; init; } = "";

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (
            Link.Length > 0
            && (
                !Link.Contains(IdPlace, StringComparison.Ordinal)
                || !Uri.TryCreate(LinkTo("0"), UriKind.Absolute, out var link)
                || link.Scheme != Uri.UriSchemeHttps
                || link.UserInfo.Length > 0
                || Link.Any("<>|()[] \"\\".Contains)
            )
        )
        {
            yield return $"{Section}:Link must be an https address with {IdPlace} in it, such as "
                + $"\"https://approvals.acme.example/requests/{IdPlace}\", and have none of < > | ( ) [ ].";
        }

        foreach (
            var name in Endpoints
                .Select(endpoint => endpoint.Name)
                .Concat(Callbacks.Select(callback => callback.Name))
                .GroupBy(name => name, StringComparer.OrdinalIgnoreCase)
                .Where(group => group.Count() > 1)
                .Select(group => group.Key)
        )
        {
            yield return $"{Section}:Endpoints and Callbacks have \"{name}\" twice; write a name of its own for each.";
        }

        foreach (
            var url in Callbacks
                .GroupBy(callback => callback.Url, StringComparer.Ordinal)
                .Where(group => group.Key.Length > 0 && group.Count() > 1)
                .Select(group => group.Key)
        )
        {
            yield return $"{Section}:Callbacks has the address {url} twice; write one entry with all its Callers.";
        }

        for (var place = 0; place < Endpoints.Count; place++)
        {
            foreach (var fault in Endpoints[place].Validate($"{Section}:Endpoints:{place}"))
            {
                yield return fault;
            }
        }

        for (var place = 0; place < Callbacks.Count; place++)
        {
            foreach (var fault in Callbacks[place].Validate($"{Section}:Callbacks:{place}"))
            {
                yield return fault;
            }
        }
    }

    /// <summary>The address that this caller may have called back; null where it may not.</summary>
    internal CallbackOptions? CallbackOf(string endpoint, WorkloadIdentity caller) =>
        Callbacks.FirstOrDefault(callback => callback.Url == endpoint && callback.Serves(caller));

    /// <summary>Where people look at this request; null where that is not set.</summary>
    public string? LinkTo(string approvalId) =>
        Link.Length == 0 ? null : Link.Replace(IdPlace, approvalId, StringComparison.Ordinal);
}
