using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.Core.PolicyVersions;

/// <summary>What became of a <see cref="PolicyEdit"/>.</summary>
public abstract record PolicyEditOutcome
{
    private PolicyEditOutcome() { }

    /// <summary>Its content is in force: as a new version, or because it was before.</summary>
    /// <param name="Active">The version in force.</param>
    public sealed record InForce(ActivePolicy Active) : PolicyEditOutcome;

    /// <summary>The document has faults, and nothing changed.</summary>
    /// <param name="Faults">All of them.</param>
    public sealed record Faulty(IReadOnlyList<PolicyFault> Faults) : PolicyEditOutcome
    {
        /// <summary>The same as a refusal.</summary>
        public Refusal Refusal =>
            new(
                RefusalCode.PolicyFaulty,
                $"The document has {Faults.Count} faults, and the version in force stays; the member faults lists them."
            );
    }

    /// <summary>It was refused for another reason, and nothing changed.</summary>
    /// <param name="Refusal">Why.</param>
    public sealed record Refused(Refusal Refusal) : PolicyEditOutcome;
}
