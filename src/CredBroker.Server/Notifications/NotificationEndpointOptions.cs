using CredBroker.Core.State;

namespace CredBroker.Server.Notifications;

/// <summary>One address outside that is told of approvals.</summary>
public sealed record NotificationEndpointOptions
{
    /// <summary>What it is called in logs, metrics and the audit log.</summary>
    public string Name { get; init; } = "";

    /// <summary>In whose words it is told.</summary>
    public NotificationFormat Format { get; init; }

    /// <summary>The address: https, or http to this machine where <see cref="AllowPrivateAddress"/> says so.</summary>
    public string Url { get; init; } = "";

    /// <summary>
    /// A file with the address, read at each sending, for one that is a secret by itself, as those of chats are.
    /// </summary>
    public string UrlFile { get; init; } = "";

    /// <summary>
    /// A file with the secret that messages are signed with, <c>whsec_</c> and base64, read at each sending; two, a line
    /// each, while one takes over from the other.
    /// </summary>
    public string SecretFile { get; init; } = "";

    /// <summary>The authorities that its certificate must come from, PEM; empty means the system's.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>
    /// Whether its name may lead to this machine or into a private network. A link-local address, where clouds keep their
    /// credentials, is never called.
    /// </summary>
    public bool AllowPrivateAddress { get; init; }

    /// <summary>Of what it is told: asked, escalated, approved, denied, expired, voided; empty means all.</summary>
    public IReadOnlyList<NotificationKind> Events { get; init; } = [];

    /// <summary>Processes of which it is told nothing. What happens is on record all the same.</summary>
    public IReadOnlyList<string> MutedProcesses { get; init; } = [];

    /// <summary>Whether it is told of this.</summary>
    internal bool Takes(NotificationKind kind, string process) =>
        (Events.Count == 0 || Events.Contains(kind)) && !MutedProcesses.Contains(process, StringComparer.Ordinal);

    /// <summary>Every fault of this address, with what to write instead.</summary>
    internal IEnumerable<string> Validate(string path)
    {
        if (Name.Length is 0 or > 40 || !Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            yield return $"{path}:Name must be 1 to 40 letters, digits, '-', '_' or '.', such as \"chat\".";
        }

        if ((Url.Length > 0) == (UrlFile.Length > 0))
        {
            yield return $"{path} needs one of Url and UrlFile; write the address, or the path of a file that holds it.";
        }
        else if (Url.Length > 0 && Format != NotificationFormat.Standard)
        {
            yield return $"{path}:Url: the address of a chat's webhook is a secret; write it to a file and its path as UrlFile.";
        }
        else if (Fault(() => NotificationTarget.ReadAddress(this)) is { } address)
        {
            yield return $"{path}:{(Url.Length > 0 ? nameof(Url) : nameof(UrlFile))}: {address}.";
        }

        if (SecretFile.Length == 0 && Format == NotificationFormat.Standard)
        {
            yield return $"{path}:SecretFile is needed: without a signature nobody can tell who has sent it.";
        }
        else if (SecretFile.Length > 0 && Fault(() => WebhookSignature.ReadSecrets(SecretFile)) is { } secret)
        {
            yield return $"{path}:SecretFile: {secret}.";
        }

        if (CaFile.Length > 0 && Fault(() => NotificationTarget.Trust(CaFile)) is { } authorities)
        {
            yield return $"{path}:CaFile: {authorities}.";
        }

        if (MutedProcesses.Any(process => process.Length == 0))
        {
            yield return $"{path}:MutedProcesses has an empty name; write names of the policy's processes.";
        }
    }

    private static string? Fault(Func<object?> read)
    {
        try
        {
            read();
            return null;
        }
        catch (Exception e) when (NotificationException.Says(e) is { } fault)
        {
            return fault;
        }
    }
}
