using CredBroker.Core.Policy;

namespace CredBroker.Core.State;

/// <summary>A limit whose breach places a hold by itself, and which of its bounds it is.</summary>
/// <param name="Use">The limit, as it counts the request that broke it.</param>
/// <param name="Kind">The bound.</param>
public sealed record Tripwire(LimitUse Use, LimitKind Kind);
