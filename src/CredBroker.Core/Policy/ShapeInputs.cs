using System.Collections.Frozen;
using CredBroker.Cel;
using CredBroker.Core.Identity;

namespace CredBroker.Core.Policy;

/// <summary>
/// Inputs of a decision of which only the shape of the request is known. What the request alone would say is an error
/// where it is read, and that it was read is noted: a condition that ran without reading any of it runs in the same way,
/// step for step, for every request of the shape.
/// </summary>
internal sealed class ShapeInputs(WorkloadIdentity identity, int locals) : PolicyInputs(identity, locals)
{
    private static readonly CelValue NotKnown = CelValue.Fail("the request is not known");

    private static readonly FrozenSet<PolicyPath> OfRequest = new[]
    {
        PolicyPath.TaskId,
        PolicyPath.TaskPurpose,
        PolicyPath.TaskOnBehalfOfIssuer,
        PolicyPath.TaskOnBehalfOfSubject,
        PolicyPath.RequestActions,
        PolicyPath.RequestResource,
        PolicyPath.RequestTtl,
        PolicyPath.RequestDelivery,
        PolicyPath.RequestParams,
        PolicyPath.ToolCallName,
        PolicyPath.ToolCallArguments,
        PolicyPath.DelegationDepth,
        PolicyPath.DelegationRoot,
        PolicyPath.DelegationParent,
    }.ToFrozenSet();

    private static readonly FrozenSet<string> Names = OfRequest.Select(PolicyRoots.NameOf).ToFrozenSet();

    /// <summary>Whether anything was read that is not known, since this was last reset.</summary>
    public bool ReadsRequest { get; set; }

    /// <summary>What a condition reads of the request.</summary>
    public static IEnumerable<string> NamesIn(CelProgram condition) => condition.Reads.Where(Names.Contains);

    /// <inheritdoc/>
    public override CelValue Read(int slot)
    {
        if (!OfRequest.Contains((PolicyPath)slot))
        {
            return base.Read(slot);
        }

        ReadsRequest = true;
        return NotKnown;
    }
}
