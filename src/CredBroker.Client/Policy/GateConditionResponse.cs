namespace CredBroker.Client;

/// <summary>A condition of the autonomy gate.</summary>
/// <param name="Name"><c>process-tolerates</c>, <c>owner</c>, <c>policy</c> or <c>attributable</c>.</param>
/// <param name="Holds">Whether it holds.</param>
public sealed record GateConditionResponse(string Name, bool Holds);
