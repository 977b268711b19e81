namespace CredBroker.Core.State;

/// <summary>STAND-IN until the canonical digest lands.</summary>
public static class ApprovalDigest
{
    public static string Of(DecisionRecord decision) =>
        TextDigest.Of(
            System.Text.Json.JsonSerializer.Serialize(
                decision with { Id = "", PolicyVersion = 0, Verdict = decision.Verdict with { PolicyHash = "" }, Identity = decision.Identity with { ProofHash = "", ProofExpiresAt = default } },
                StateJson.Default.DecisionRecord
            )
        );
}
