using CredBroker.Core.Policy;

namespace CredBroker.Vault.Setup;

/// <summary>
/// Exactly what a catalogue needs in Vault, in the order in which it can be made. Pure: nothing is read or sent.
/// </summary>
/// <param name="Steps">What Vault must hold.</param>
/// <param name="Notes">What setup cannot do and the operator does.</param>
/// <param name="Faults">Why the catalogue cannot be set up, with what to write instead; empty when it can.</param>
public sealed record SetupPlan(
    IReadOnlyList<SetupStep> Steps,
    IReadOnlyList<string> Notes,
    IReadOnlyList<string> Faults
)
{
    /// <summary>Whose plan it is, as in <see cref="VaultOptions.Installation"/>.</summary>
    public required string Installation { get; init; }

    /// <summary>The plan for these entries under this installation's names.</summary>
    /// <param name="installation">As in <see cref="VaultOptions.Installation"/>.</param>
    /// <param name="catalogue">The entries, with their <c>vault.setup</c> parts.</param>
    /// <param name="appRole">The AppRole, if the broker logs in by one; null for a token file.</param>
    public static SetupPlan For(
        string installation,
        IEnumerable<CatalogueEntry> catalogue,
        AppRoleSetup? appRole = null
    )
    {
        var entries = catalogue.OrderBy(entry => entry.Name, StringComparer.Ordinal).ToList();
        var names = new VaultNames(installation);
        var faults = entries.Select(names.FaultOf).OfType<string>().ToList();
        if (faults.Count > 0)
        {
            return new([], [], faults) { Installation = installation };
        }

        var draft = new SetupDraft(names);
        draft.AddBroker(entries, appRole);
        foreach (var entry in entries)
        {
            draft.AddCredential(entry);
        }

        draft.AddWarnings(entries);
        return new(draft.Steps, draft.Notes, draft.Faults) { Installation = installation };
    }
}
