namespace CredBroker.Client;

/// <summary>What a stable error code means, and what its receiver can do next.</summary>
/// <param name="Code">The code, such as <c>CB2001</c>. It never changes its meaning.</param>
/// <param name="Status">The HTTP status that it travels with.</param>
/// <param name="Title">The problem in a few words.</param>
/// <param name="NextStep">What the caller can do next.</param>
public sealed record ErrorCode(string Code, int Status, string Title, string NextStep);
