using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Issuing;

/// <summary>
/// Which cluster of Vault is believed, and which one answers. Another one (a new Vault at the old address, a backup of
/// another cluster put back) never had the secrets that the store knows: that it does not know them proves nothing. Nor does
/// the word of the one that is believed, once it has gone back itself (<see cref="Doubt"/>).
/// </summary>
public sealed class VaultCluster
{
    /// <summary>Why nothing is issued while another one answers.</summary>
    public static readonly Refusal Another = new(
        RefusalCode.VaultClusterChanged,
        "Vault is another cluster than the broker's secrets are in, so nothing is issued and no revocation confirmed, until "
            + "an admin says that it is the right one.",
        TimeSpan.FromSeconds(30)
    );

    /// <summary>Why nothing is issued by a broker whose Vault, by its settings, is not the store's.</summary>
    public static readonly Refusal Elsewhere = new(
        RefusalCode.VaultClusterChanged,
        "This broker's settings name another namespace or installation of Vault than the one that its store's secrets are "
            + "in, so it issues nothing and confirms no revocation, until an operator sets them right.",
        TimeSpan.FromSeconds(30)
    );
    private static readonly Refusal NotOnRecord = new(
        RefusalCode.IssuingPaused,
        "Which cluster of Vault this is has not been put on record yet. Try again.",
        TimeSpan.FromSeconds(5)
    );

    /// <summary>Why nothing is issued while the one that is believed is older than it was.</summary>
    public static readonly Refusal OlderThanItWas = new(
        RefusalCode.VaultBehind,
        "Vault has gone back: it does not hold what the broker wrote there last. Nothing is issued and no revocation "
            + "confirmed, until an admin says that it is the right one.",
        TimeSpan.FromSeconds(30)
    );

    private volatile AcceptedCluster? _accepted;
    private volatile string? _seen;
    private volatile Doubted? _doubt;

    /// <summary>Where in Vault this broker makes its secrets, by its settings; null where nobody asks.</summary>
    public VaultHome? Home { get; init; }

    /// <summary>The one that is believed; null before the first contact.</summary>
    public AcceptedCluster? Accepted => _accepted;

    /// <summary>The one that answered last; null before it has, empty where it does not say.</summary>
    public string? Seen => _seen;

    /// <summary>Whether the store's secrets are elsewhere in Vault than this broker's.</summary>
    public bool IsElsewhere => OtherHome is not null;

    /// <summary>Whether it is not on record yet where in the believed one the store's secrets are.</summary>
    public bool IsHomeUnknown => Home is not null && _accepted is { Home: null };

    /// <summary>Whether another one answers than is believed.</summary>
    public bool IsAnother => _accepted is { } accepted && _seen is { } seen && accepted.Id != seen;

    /// <summary>Whether the one that is believed is older than it was.</summary>
    public bool IsBehind => _doubt is { IsBehind: true };

    /// <summary>Why nothing is issued: another one answers, an older one, or the first is not on record yet.</summary>
    public Refusal? Refusal =>
        (IsAnother, IsBehind, _accepted, _seen) switch
        {
            _ when IsElsewhere => Elsewhere,
            (true, _, _, _) => Another,
            (_, true, _, _) => OlderThanItWas,
            (_, _, null, { Length: > 0 }) => NotOnRecord,
            _ when IsHomeUnknown => NotOnRecord,
            _ => null,
        };

    /// <summary>
    /// It answered, and called itself so. Null, or why it is not believed, for operators: of two that answer in turn each
    /// is judged by what it said itself.
    /// </summary>
    public string? See(string? id)
    {
        var seen = id ?? "";
        _seen = seen;
        if (OtherHome is { } other)
        {
            return $"The store's secrets are in Vault's {Said(other)}, and this broker is set to {Said(Home!)}: what "
                + "it hears there proves nothing of them. All brokers on a store need the same Vault:Installation and "
                + "Vault:Namespace. If this one's are right: credbroker vault cluster --accept";
        }

        return _accepted is not { } accepted || accepted.Id == seen
            ? _doubt?.Why
            : $"Vault is the cluster {(seen.Length > 0 ? seen : "(it does not say)")}, not {accepted.Id}: its word proves "
                + "nothing of what was made there. If it is the right one: credbroker vault cluster --accept";
    }

    /// <summary>Whether what calls itself so is the one that is believed, whatever its word is worth.</summary>
    public bool IsBelieved(string? id) => !IsElsewhere && (_accepted is null || _accepted.Id == (id ?? ""));

    /// <summary>
    /// Its word proves nothing for now: what it should hold of the store has not been read yet, or it does not hold it.
    /// </summary>
    /// <param name="why">Why, for operators.</param>
    /// <param name="isBehind">Whether that is known.</param>
    public void Doubt(string why, bool isBehind) => _doubt = new(why, isBehind);

    /// <summary>It holds what it should.</summary>
    public void Trust() => _doubt = null;

    /// <summary>It is believed from now on; it is on record.</summary>
    public void Accept(AcceptedCluster accepted) => _accepted = accepted;

    /// <summary>Whether the lease may have been opened while another cluster was believed than is now.</summary>
    public bool IsOlder(Lease lease) => _accepted?.ChangedAt is { } changedAt && lease.OpenedAt <= changedAt;

    private VaultHome? OtherHome =>
        Home is { } home && _accepted?.Home is { } accepted && accepted != home ? accepted : null;

    private static string Said(VaultHome home) =>
        $"installation {home.Installation}"
        + (home.Namespace.Length > 0 ? $" in the namespace {home.Namespace}" : " in no namespace");

    private sealed record Doubted(string Why, bool IsBehind);
}
