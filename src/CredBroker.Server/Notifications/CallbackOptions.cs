using CredBroker.Core.Identity;

namespace CredBroker.Server.Notifications;

/// <summary>
/// An address that agents may name as the callback of an access request (AuthZEN): no other is called for them.
/// </summary>
public sealed record CallbackOptions
{
    /// <summary>What it is called in logs, metrics and the audit log.</summary>
    public string Name { get; init; } = "";

    /// <summary>The address, exactly as callers name it: https, or http to this machine as for other addresses.</summary>
    public string Url { get; init; } = "";

    /// <summary>As <see cref="NotificationEndpointOptions.SecretFile"/>: every callback is signed.</summary>
    public string SecretFile { get; init; } = "";

    /// <summary>The authorities that its certificate must come from, PEM; empty means the system's.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>As <see cref="NotificationEndpointOptions.AllowPrivateAddress"/>.</summary>
    public bool AllowPrivateAddress { get; init; }

    /// <summary>
    /// Where whoever is called back reaches this broker: the address that <c>status_endpoint</c> begins with. It is a
    /// setting, so that no caller can send others with their tokens to an address of its own.
    /// </summary>
    public string StatusAddress { get; init; } = "";

    /// <summary>Who may name it.</summary>
    public IReadOnlyList<CallbackCallerOptions> Callers { get; init; } = [];

    /// <summary>The same as an address that is told things.</summary>
    internal NotificationEndpointOptions AsEndpoint =>
        new()
        {
            Name = Name,
            Url = Url,
            SecretFile = SecretFile,
            CaFile = CaFile,
            AllowPrivateAddress = AllowPrivateAddress,
        };

    /// <summary>Whether this workload may name it.</summary>
    internal bool Serves(WorkloadIdentity caller) =>
        Callers.Any(allowed => allowed.Issuer == caller.Issuer && allowed.Workload == caller.Workload);

    /// <summary>Every fault of this address, with what to write instead.</summary>
    internal IEnumerable<string> Validate(string path)
    {
        if (Url.Length == 0)
        {
            yield return $"{path}:Url is missing; write the address as callers name it.";
        }
        else
        {
            foreach (var fault in AsEndpoint.Validate(path))
            {
                yield return fault;
            }
        }

        if (
            !Uri.TryCreate(StatusAddress, UriKind.Absolute, out var status)
            || status.UserInfo.Length > 0
            || status.PathAndQuery != "/"
            || status.Fragment.Length > 0
            || (status.Scheme != Uri.UriSchemeHttps && !(status.Scheme == Uri.UriSchemeHttp && status.IsLoopback))
        )
        {
            yield return $"{path}:StatusAddress must be the https address of this broker without a path, such as "
                + "\"https://credbroker.acme.example:8443\" (http on this machine alone).";
        }

        if (Callers.Count == 0 || Callers.Any(caller => caller.Issuer.Length == 0 || caller.Workload.Length == 0))
        {
            yield return $"{path}:Callers needs an Issuer and a Workload for each who may name the address.";
        }
    }
}
