using System.Text.Json;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Server.Endpoints.Access;
using CredBroker.UnitTests.Policy;

namespace CredBroker.UnitTests.Server;

public sealed class AccessDeciderTests
{
    private static readonly AccessSubject Subject = new() { Type = "service", Id = "one" };
    private static readonly AccessAction Action = new()
    {
        Name = "read",
        Properties = new Dictionary<string, JsonElement>
        {
            ["text"] = JsonSerializer.SerializeToElement(new string('x', 100_000)),
        },
    };
    private static readonly AccessResource Resource = new() { Type = "c", Id = "r" };

    [Fact]
    public void What_many_questions_have_in_common_is_made_once()
    {
        var policy = Policy();
        Ask(policy, 1);
        var one = Cost(1);

        // A hundred times 500 processes that admit or do not, and 100 kB of arguments, were it made each time.
        Assert.InRange(Cost(100), 0, 3 * one);

        long Cost(int questions)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Ask(policy, questions);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Another_subject_action_or_resource_is_looked_at_by_itself()
    {
        var decider = new AccessDecider(Policy(), caller: null);
        Assert.True(IsAllowed(Subject, Action, Resource));
        Assert.False(IsAllowed(Subject with { Id = "two" }, Action, Resource));
        Assert.False(IsAllowed(Subject, Action with { Properties = null }, Resource));
        Assert.False(IsAllowed(Subject, Action, Resource with { Id = "other" }));
        Assert.True(IsAllowed(Subject, Action, Resource));

        bool IsAllowed(AccessSubject subject, AccessAction action, AccessResource resource)
        {
            var asked = decider.Decide(
                new()
                {
                    Subject = subject,
                    Action = action,
                    Resource = resource,
                }
            );
            Assert.True(asked.Passes(out var decision, out _));
            return decision.Decision;
        }
    }

    private static void Ask(PolicySet policy, int questions)
    {
        var decider = new AccessDecider(policy, caller: null);
        for (var asked = 0; asked < questions; asked++)
        {
            var answer = decider.Decide(
                new()
                {
                    Subject = Subject,
                    Action = Action,
                    Resource = Resource,
                    Context = new() { Task = "t" },
                }
            );
            Assert.True(answer.Passes(out var decision, out _));
            Assert.True(decision.Decision);
        }
    }

    /// <summary>Allows one subject alone one resource with a tool call, in the last of many processes.</summary>
    private static PolicySet Policy()
    {
        var others = string.Concat(
            Enumerable
                .Range(0, 500)
                .Select(n => $$"""  p{{n}}: { toleratesRuntimeAction: true, agents: [b] }""" + Environment.NewLine)
        );
        var text = $$"""
            apiVersion: credbroker/v1
            agents:
              a: { member: 'identity.issuer == "authzen:service" && identity.subject == "one"' }
              b: { member: 'identity.issuer == "https://b.example"' }
            processes:
            {{others}}  q: { toleratesRuntimeAction: true, agents: [a] }
            credentials:
              c:
                vault: { engine: token, role: cb-test-c }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 5m
            rules:
              - { id: r, effect: allow, when: 'request.resource == "r" && toolCall.name == "read"' }
            """;
        var compiled = PolicyCompiler.Compile(Samples.Document(text));
        Assert.Empty(compiled.Faults);
        return compiled.Set!;
    }
}
