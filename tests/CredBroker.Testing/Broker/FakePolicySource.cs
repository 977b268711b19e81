using CredBroker.Core.Policy.Document;
using CredBroker.Core.PolicyVersions;

namespace CredBroker.Testing.Broker;

/// <summary>A policy document held by the test.</summary>
internal sealed class FakePolicySource : IPolicySource
{
    public string Text { get; set; } = "";

    public ValueTask<PolicyDocument?> ReadAsync(CancellationToken cancellationToken) =>
        new(new PolicyDocument { Name = "policy.yaml", Text = Text });

    public Task WaitForChangeAsync(CancellationToken cancellationToken) =>
        Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
}
