using CredBroker.Core.Requests;

namespace CredBroker.UnitTests.Requests;

public sealed class CheckedTests
{
    private static readonly Refusal Refusal = new(RefusalCode.FieldInvalid, "Not so.");

    [Fact]
    public void What_passed_is_there_and_no_refusal()
    {
        Checked<string> passed = "value";
        Assert.True(passed.Passes(out var value, out var refusal));
        Assert.Equal(("value", null), (value, refusal));
    }

    [Fact]
    public void What_was_refused_has_no_value()
    {
        Checked<string> refused = Refusal;
        Assert.False(refused.Passes(out var value, out var refusal));
        Assert.Equal((null, Refusal), (value, refusal));
    }

    [Fact]
    public void The_first_refusal_stands_and_no_later_check_is_made()
    {
        Checked<string> first = Refusal;
        Assert.False(
            first.Then<string>(_ => throw new InvalidOperationException("checked")).Passes(out _, out var refusal)
        );
        Assert.Same(Refusal, refusal);
    }

    [Fact]
    public void Checks_that_pass_lead_on_to_the_last()
    {
        Checked<string> first = "a";
        Assert.True(first.Then<string>(text => text + "b").Passes(out var value, out _));
        Assert.Equal("ab", value);
    }
}
