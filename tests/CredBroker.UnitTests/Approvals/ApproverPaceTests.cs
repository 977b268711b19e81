using CredBroker.Core.State;

namespace CredBroker.UnitTests.Approvals;

/// <summary>How fast a person decides, from their last words.</summary>
public sealed class ApproverPaceTests
{
    [Theory]
    [InlineData(new double[0], null, false)]
    [InlineData(new[] { 1.0, 1, 1, 1 }, 1.0, false)]
    [InlineData(new[] { 100.0, 2.9, 1, 2.9, 2.9 }, 2.9, true)]
    [InlineData(new[] { 3.0, 3, 3, 1, 1 }, 3.0, false)]
    [InlineData(new[] { 2.0, 3.9, 1, 60, 2, 60 }, 2.95, true)]
    [InlineData(new[] { 2.0, 4, 1, 60, 2, 60 }, 3.0, false)]
    public void Five_words_or_more_with_a_median_under_three_seconds_are_a_hurry(
        double[] seconds,
        double? median,
        bool isHurried
    )
    {
        var pace = ApproverPace.Of([.. seconds.Select(TimeSpan.FromSeconds)]);
        Assert.Equal(median, pace.Median?.TotalSeconds);
        Assert.Equal((seconds.Length, isHurried), (pace.Decisions, pace.IsHurried));
    }
}
