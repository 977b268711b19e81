namespace CredBroker.Core.Requests;

/// <summary>Where a call came from.</summary>
/// <param name="TraceId">The W3C trace id.</param>
/// <param name="Source">The peer's address: refusals before verification are counted by it.</param>
public sealed record CallContext(string? TraceId, string Source);
