using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.State;

namespace CredBroker.Core.PolicyVersions;

/// <summary>An applied policy.</summary>
/// <param name="Version">Its number, 1 for the first.</param>
/// <param name="Set">The compiled policy.</param>
/// <param name="Document">Its text.</param>
/// <param name="AppliedAt">When it was applied.</param>
/// <param name="Origin">How it came to be.</param>
public sealed record ActivePolicy(
    long Version,
    PolicySet Set,
    PolicyDocument Document,
    DateTimeOffset AppliedAt,
    PolicyOrigin Origin
);
