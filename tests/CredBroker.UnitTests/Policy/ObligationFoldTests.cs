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
    public void Every_wish_for_a_persons_approval_is_kept()
    {
        var fold = new ObligationFold(TimeSpan.FromMinutes(15));
        fold.Add(Asked("one", ""));
        fold.Add(new Obligation.LivesAtMost(TimeSpan.FromMinutes(5)));
        fold.Add(Asked("two", ""));

        Assert.Equal(["one", "two"], fold.Approval?.Demands.Select(demand => demand.RuleId));
        Assert.Equal(TimeSpan.FromMinutes(5), fold.MaxTtl);
    }

    [Theory]
    [InlineData(false, "", "", "")]
    [InlineData(false, "payer", "", "payer", "")]
    [InlineData(false, "payer", "payer", "payer")]
    [InlineData(true, "payer", "payer", "Payer")]
    [InlineData(true, "payer", "payer", "other", "payer")]
    [InlineData(true, "payer", "", "payer", "", "other")]
    public void One_executor_holds_for_all_and_two_contradict(bool differ, string executor, params string[] executors)
    {
        var fold = new ObligationFold(TimeSpan.FromMinutes(15));
        foreach (var name in executors)
        {
            fold.Add(Asked("rule", name));
        }

        Assert.Equal(differ, fold.ExecutorsDiffer);
        Assert.Equal(executor, fold.Approval!.Executor);
    }

    [Fact]
    public void What_many_rules_ask_costs_what_they_are_and_not_their_square()
    {
        var asked = Asked("rule", "");
        var fold = new ObligationFold(TimeSpan.FromMinutes(15));
        fold.Add(asked);
        fold.Add(asked);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var rule = 2; rule < 4000; rule++)
        {
            fold.Add(asked);
        }

        // Copied for each it would be 64 MB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Equal(4000, fold.Approval?.Demands.Count);
    }

    private static Obligation.NeedsApproval Asked(string rule, string executor) =>
        new([
            new()
            {
                RuleId = rule,
                Approvers = [new Approver.Group("g")],
                ExpiresAfter = TimeSpan.FromMinutes(1),
                Executor = executor,
            },
        ]);

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
