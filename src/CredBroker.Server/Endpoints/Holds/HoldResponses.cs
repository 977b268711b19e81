using CredBroker.Client;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Endpoints.Revocations;

namespace CredBroker.Server.Endpoints.Holds;

/// <summary>Holds as the API shows them.</summary>
internal static class HoldResponses
{
    /// <summary>The answer with a hold.</summary>
    public static IResult Reply(Hold hold, int status, bool isRecordMissing = false) =>
        new Reply<HoldResponse>(status, Of(hold, isRecordMissing), BrokerJson.Default.HoldResponse);

    public static HoldResponse Of(Hold hold, bool isRecordMissing = false) =>
        Selectors.Describe(
            hold.Selector,
            new HoldResponse
            {
                Everything = hold.Selector.Everything ? true : null,
                HoldId = hold.Id,
                Reason = hold.Reason,
                PlacedBy = hold.PlacedBy,
                PlacedAt = hold.PlacedAt,
                Until = hold.Until,
                RevocationId = hold.RevocationId,
                RecordMissing = isRecordMissing ? true : null,
                LiftedAt = hold.LiftedAt,
                LiftedBy = hold.LiftedBy,
                LiftReason = hold.LiftReason,
            }
        );
}
