using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Access;

namespace CredBroker.UnitTests.Server;

/// <summary>What an access request's status says of the question behind it.</summary>
public sealed class AccessTaskTests
{
    [Fact]
    public void Nothing_is_approved_but_what_people_have_agreed_to()
    {
        foreach (var state in Enum.GetValues<ApprovalState>())
        {
            Assert.Equal(
                state is ApprovalState.Approved or ApprovalState.Redeemed,
                AccessRequestEndpoints.StatusOf(state) == "approved"
            );
        }

        Assert.Equal("failed", AccessRequestEndpoints.StatusOf((ApprovalState)99));
    }
}
