namespace CredBroker.Server.Notifications;

/// <summary>A workload that may name a callback: all its instances, and nobody else.</summary>
public sealed record CallbackCallerOptions
{
    /// <summary>The issuer of its tokens, as policy sees it in <c>identity.issuer</c>.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>The workload, as policy sees it in <c>identity.workload</c>.</summary>
    public string Workload { get; init; } = "";
}
