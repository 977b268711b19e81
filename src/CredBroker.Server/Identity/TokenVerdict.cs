using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;

namespace CredBroker.Server.Identity;

/// <summary>A refusal, or the window and the keys that a token verified with.</summary>
internal readonly record struct TokenVerdict(
    Refusal? Refusal,
    TokenWindow Window = default,
    VerificationKeys? Keys = null
);
