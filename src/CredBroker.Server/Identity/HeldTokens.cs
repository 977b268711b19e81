using CredBroker.Core.Identity.Verification;
using CredBroker.Core.State;

namespace CredBroker.Server.Identity;

/// <summary>
/// Has every token checked anew once another broker has placed a hold. Which holds there are is known by their number
/// alone: one that is placed in the moment in which another is lifted goes unnoticed here, and is the store's to refuse by.
/// </summary>
internal sealed class HeldTokens(IBrokerStore store, TokenMemory tokens) : IHostedService
{
    private long _holds;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _holds = store.Position.Holds;
        store.News += Look;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        store.News -= Look;
        return Task.CompletedTask;
    }

    /// <summary>Called on the writer's thread, one at a time.</summary>
    private void Look()
    {
        var holds = store.Position.Holds;
        if (holds != _holds)
        {
            _holds = holds;
            tokens.Forget();
        }
    }
}
