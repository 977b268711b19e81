namespace CredBroker.Vault.Check;

/// <summary>One thing that was looked at.</summary>
/// <param name="Passed">Whether it is as it must be.</param>
/// <param name="What">What was looked at.</param>
/// <param name="Detail">What is wrong, and the cure; empty when nothing is.</param>
public sealed record CheckFinding(bool Passed, string What, string Detail = "");
