using System.Text.Json.Serialization;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>One condition of the autonomy gate, and whether it held.</summary>
/// <param name="Name"><c>process-tolerates</c>, <c>owner</c>, <c>policy</c> or <c>attributable</c>.</param>
/// <param name="Holds">Whether it held.</param>
public sealed record GateCondition(string Name, bool Holds);
