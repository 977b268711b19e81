namespace CredBroker.Core.PolicyVersions;

/// <summary>What the policy's file holds, or that it holds nothing, where that is not in force and will not come to be.</summary>
/// <param name="Reason">Which kind, in one word.</param>
/// <param name="Hash">The document's hash; empty where there is none.</param>
/// <param name="Faults">All that is wrong, with line and column where it has any.</param>
/// <param name="Since">Since when this broker has seen it so, by the store's clock.</param>
public sealed record RefusedEdit(string Reason, string Hash, IReadOnlyList<string> Faults, DateTimeOffset Since)
{
    /// <summary>There is no document.</summary>
    public const string Missing = "missing";

    /// <summary>It cannot be read.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>The version that the store has in force is one that this broker does not understand.</summary>
    public const string StoredNotAccepted = "stored-not-accepted";

    /// <summary>It does not compile.</summary>
    public const string HasFaults = "faults";

    /// <summary>It is what an earlier version was.</summary>
    public const string WasVersionBefore = "was-version-before";

    /// <summary>Policy comes by the API, and nobody has applied this.</summary>
    public const string Ignored = "ignored";

    /// <summary>
    /// What may be told to anybody: which kind, and where the first fault is. The faults themselves quote the document.
    /// </summary>
    public string Outline =>
        Reason switch
        {
            Missing => "the policy file is gone",
            Unreadable => "the policy file cannot be read",
            StoredNotAccepted => "the stored policy version is not accepted by this version of the broker",
            HasFaults => $"the policy file has {Faults.Count} fault{(Faults.Count == 1 ? "" : "s")}{Place(Faults[0])}",
            WasVersionBefore => "the policy file holds what an earlier version was",
            _ => "the policy file was edited, and is not read: policy comes by the API",
        };

    private static string Place(string fault) =>
        fault.StartsWith("line ", StringComparison.Ordinal) && fault.IndexOf(':') is > 0 and var end
            ? $", the first at {fault[..end]}"
            : "";
}
