using CredBroker.Core.Identity;

namespace CredBroker.UnitTests.Identity;

public sealed class PathTemplateTests
{
    [Theory]
    [InlineData("/agents/{workload}/{instance}", "/agents/triage/7", "triage", "7")]
    [InlineData("/{workload}", "/triage", "triage", "")]
    [InlineData("/ns/{workload}/pod/{instance}", "/ns/a/pod/b", "a", "b")]
    [InlineData("/{instance}/{workload}", "/7/triage", "triage", "7")]
    public void Each_placeholder_takes_one_segment(string template, string path, string workload, string instance)
    {
        Assert.True(PathTemplate.TryParse(template, out var parsed, out _));
        Assert.True(parsed.TryMatch(path, out var w, out var i));
        Assert.Equal((workload, instance), (w, i));
    }

    [Theory]
    [InlineData("/agents/triage")]
    [InlineData("/agents/triage/7/8")]
    [InlineData("/Agents/triage/7")]
    [InlineData("/workers/triage/7")]
    [InlineData("/prefix/agents/triage/7")]
    [InlineData("")]
    public void The_whole_path_must_have_the_templates_form(string path)
    {
        Assert.True(PathTemplate.TryParse("/agents/{workload}/{instance}", out var template, out _));
        Assert.False(template.TryMatch(path, out var workload, out var instance));
        Assert.Equal(("", ""), (workload, instance));
    }

    [Theory]
    [InlineData("")]
    [InlineData("agents/{workload}")]
    [InlineData("/agents")]
    [InlineData("/{workload}/{workload}")]
    [InlineData("/{workload}/{instance}/{instance}")]
    [InlineData("/agent-{workload}")]
    [InlineData("/{workload}-x/{workload}")]
    [InlineData("/{workload}/{pod}")]
    [InlineData("/{workload}/")]
    [InlineData("/{workload}//x")]
    [InlineData("/../{workload}")]
    [InlineData("/{workload}/*")]
    public void A_template_that_could_be_read_in_two_ways_is_a_fault(string text)
    {
        Assert.False(PathTemplate.TryParse(text, out _, out var fault));
        Assert.NotEmpty(fault);
    }
}
