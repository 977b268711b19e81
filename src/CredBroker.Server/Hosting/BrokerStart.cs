using System.Reflection;
using CredBroker.Core.Callers;
using CredBroker.Core.Issuing;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Readiness;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace CredBroker.Server.Hosting;

/// <summary>
/// What happens before anything is scheduled or listened to: the store opens (migrations run, the audit stream begins),
/// the policy is taken up, the store is compared with its anchor, and revoking is proven. Without a store the broker
/// does not start; on one that cannot be written, without Vault or without a policy it starts and issues nothing, so
/// that revoking, listing and export work all the same. And what happens after the last call was answered: what was
/// only counted yet is put on record.
/// </summary>
internal sealed partial class BrokerStart(
    IServiceProvider services,
    PolicyControl policy,
    ISecretIssuer issuer,
    ClusterMemory memory,
    AnchorCheck anchor,
    RefusedCalls refusedCalls,
    PeopleActions peopleActions,
    IServer server,
    TimeProvider time,
    ILogger<BrokerStart> log
) : IHostedLifecycleService
{
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(10);

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        Starting(AppVersion);
        services.GetRequiredService<IBrokerStore>();
        services.GetRequiredService<EventLog>().Start();
        try
        {
            if (!await policy.StartAsync(cancellationToken))
            {
                NoPolicy(policy.LastFaults);
            }
        }
        catch (StoreUnavailableException fault)
        {
            // What was in force is; an edit since then is applied when the store takes it.
            PolicyNotApplied(fault);
        }

        using var limit = new CancellationTokenSource(ProbeLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await memory.StartAsync(either.Token);
            await anchor.StartAsync(either.Token);
            await anchor.CompareAsync(either.Token);
            var status = await issuer.ProbeAsync(either.Token);
            await memory.RememberAsync(either.Token);
            if (!status.CanIssue)
            {
                NotIssuing(status.Refusal?.CodeText, status.Refusal?.Detail);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            NotIssuing("CB4001", "Vault has not answered yet.");
        }
        catch (StoreUnavailableException fault)
        {
            // Which cluster of Vault answered is put on record by a later probe.
            NotIssuing("CB5002", fault.Message);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        Listening(server.Features.Get<IServerAddressesFeature>()?.Addresses);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        // However long the stop has taken: the store takes these few at once, or says that it does not.
        await refusedCalls.FlushAsync(CancellationToken.None);
        await peopleActions.FlushAsync(CancellationToken.None);
        Stopped();
    }

    private static string? AppVersion =>
        typeof(BrokerStart).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    [LoggerMessage(Level = LogLevel.Information, Message = "CredBroker {Version} starts")]
    private partial void Starting(string? version);

    [LoggerMessage(Level = LogLevel.Information, Message = "CredBroker has stopped")]
    private partial void Stopped();

    [LoggerMessage(Level = LogLevel.Information, Message = "Listening on {Addresses}")]
    private partial void Listening(ICollection<string>? addresses);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "No policy is in force: every request is refused until there is one. {Faults}"
    )]
    private partial void NoPolicy(IReadOnlyList<string> faults);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The policy could not be applied, because the store takes nothing; the version that it last knew goes on."
    )]
    private partial void PolicyNotApplied(Exception fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Nothing is issued yet: {Code} {Detail}")]
    private partial void NotIssuing(string? code, string? detail);
}
