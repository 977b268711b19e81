using CredBroker.Core.Policy.Document;
using CredBroker.Core.PolicyVersions;

namespace CredBroker.Server.Policy;

/// <summary>No file: every version, the first one too, comes by the API.</summary>
internal sealed class NoPolicySource : IPolicySource
{
    /// <inheritdoc/>
    public ValueTask<PolicyDocument?> ReadAsync(CancellationToken cancellationToken) => new((PolicyDocument?)null);

    /// <inheritdoc/>
    public Task WaitForChangeAsync(CancellationToken cancellationToken) =>
        Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
}
