using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.UnitTests.State;

public sealed class GuardRefusalsTests
{
    public static TheoryData<GuardFailure, RefusalCode?> Table =>
        new()
        {
            { GuardFailure.NotFound, RefusalCode.RevokedMeanwhile },
            { GuardFailure.WrongState, RefusalCode.RevokedMeanwhile },
            { GuardFailure.PolicyChanged, RefusalCode.PolicyChanging },
            { GuardFailure.PolicyWasVersionBefore, null },
            { GuardFailure.Revoked, RefusalCode.RevokedMeanwhile },
            { GuardFailure.StoreReopened, RefusalCode.StoreUnavailable },
            { GuardFailure.Held, RefusalCode.Held },
            { GuardFailure.TooManyHolds, null },
            { GuardFailure.OwnerGone, null },
            { GuardFailure.TooManyOwners, null },
            { GuardFailure.TaskClosed, RefusalCode.TaskClosed },
            { GuardFailure.TaskOwnedByAnother, RefusalCode.TaskOwnedByAnother },
            { GuardFailure.IdempotencyTaken, RefusalCode.IdempotencyInProgress },
            { GuardFailure.LimitReached, RefusalCode.LimitReached },
            { GuardFailure.DeadlinePassed, RefusalCode.MintOutcomeUnknown },
            { GuardFailure.AlreadyAsked, null },
            { GuardFailure.TooManyApprovals, RefusalCode.TooManyApprovals },
            { GuardFailure.ApprovalNotUsable, RefusalCode.ApprovalUsed },
            { GuardFailure.EvaluationNotUsable, RefusalCode.DenialBindingInvalid },
            { GuardFailure.TooManyCallbacks, RefusalCode.TooManyApprovals },
        };

    [Theory]
    [MemberData(nameof(Table))]
    public void A_guard_has_one_refusal_or_is_said_to_be_unexpected(GuardFailure failure, RefusalCode? code)
    {
        if (code is { } expected)
        {
            Assert.Equal(expected, GuardRefusals.Of(failure).Code);
        }
        else
        {
            var fault = Assert.Throws<InvalidOperationException>(() => GuardRefusals.Of(failure));
            Assert.Contains("can fail as", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_guard_stands_in_the_table() =>
        Assert.Equal(Enum.GetValues<GuardFailure>().Order(), Table.Select(row => row.Data.Item1).Order());
}
