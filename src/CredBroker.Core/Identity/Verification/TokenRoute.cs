namespace CredBroker.Core.Identity.Verification;

/// <summary>Where an unverified token leads.</summary>
/// <param name="Rules">The rules that it must meet.</param>
/// <param name="Trust">What verifies it.</param>
/// <param name="Identify">Who it stands for, once it is verified under these rules.</param>
internal sealed record TokenRoute<TOutcome>(
    TokenRules Rules,
    ITrustSource Trust,
    Func<VerifiedToken, TOutcome> Identify
);
