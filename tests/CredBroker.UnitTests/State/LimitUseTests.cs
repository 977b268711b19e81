using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.State;

public sealed class LimitUseTests
{
    /// <summary>It stands in stores: under another name what was counted would count no more.</summary>
    [Fact]
    public void The_name_under_which_is_counted_is_for_ever()
    {
        var decision = new StoreSamples(new FakeTimeProvider()).Decision();
        var use = StoreSamples.Uses(decision, new PolicyLimit { Id = "l", Per = LimitScope.Instance })[0];

        const string Key = "instance.7b8bc32a1948b53b9afe082c94270fda0ae9b24276f791b180e8e192f46c470b";
        Assert.Equal((Key, $"denied.{Key}"), (use.Key, use.DeniedKey));
    }
}
