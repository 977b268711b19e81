using CredBroker.Core.Policy;

namespace CredBroker.UnitTests.Policy;

public sealed class ObligationFoldTests
{
    [Fact]
    public void The_shortest_life_counts_whatever_the_order()
    {
        var fold = new ObligationFold(TimeSpan.FromMinutes(15));
        fold.Add(new Obligation.LivesAtMost(TimeSpan.FromMinutes(5)));
        fold.Add(new Obligation.LivesAtMost(TimeSpan.FromMinutes(10)));
        fold.Add(null);

        Assert.Equal(TimeSpan.FromMinutes(5), fold.MaxTtl);
        Assert.Null(fold.Approval);
    }

    [Fact]
    public void No_rule_lengthens_the_entrys_own_life()
    {
        var fold = new ObligationFold(TimeSpan.FromMinutes(15));
        fold.Add(new Obligation.LivesAtMost(TimeSpan.FromHours(1)));

        Assert.Equal(TimeSpan.FromMinutes(15), fold.MaxTtl);
    }

    [Fact]
    public void One_wish_for_a_persons_approval_is_enough()
    {
        var fold = new ObligationFold(TimeSpan.FromMinutes(15));
        fold.Add(Obligation.NeedsApproval.Instance);
        fold.Add(new Obligation.LivesAtMost(TimeSpan.FromMinutes(5)));

        Assert.NotNull(fold.Approval);
    }

    [Fact]
    public void Every_kind_of_obligation_is_folded()
    {
        foreach (var kind in typeof(Obligation).GetNestedTypes())
        {
            var fold = new ObligationFold(TimeSpan.FromMinutes(15));
            fold.Add((Obligation)System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(kind));
        }
    }
}
