using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace CredBroker.Vault.Http;

/// <summary>
/// How each kind of call is sent, chosen by what it does and never by its HTTP method (reading a dynamic secret is a
/// GET that mints): what changes nothing, or may be done twice, is sent again; what makes something is sent once.
/// <para>
/// Revocation, lookup and the broker's own login have connections of their own (<paramref name="control"/>): however
/// many secrets are being made, and hang, taking back works.
/// </para>
/// </summary>
internal sealed partial class VaultClient(
    VaultTransport transport,
    TimeProvider time,
    ILogger logger,
    VaultTransport? control = null
)
{
    private readonly VaultTransport _control = control ?? transport;

    private readonly ResiliencePipeline<VaultReply> _repeatable = new ResiliencePipelineBuilder<VaultReply>
    {
        TimeProvider = time,
    }
        .AddRetry(
            new RetryStrategyOptions<VaultReply>
            {
                ShouldHandle = arguments => ValueTask.FromResult(IsPassing(arguments.Outcome.Result)),
                MaxRetryAttempts = 2,
                Delay = TimeSpan.FromMilliseconds(100),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            }
        )
        .Build();

    /// <summary>
    /// For what waits for a backend. Without an answer it may still be at work there: sent again at once it would only
    /// be waited for twice.
    /// </summary>
    private readonly ResiliencePipeline<VaultReply> _revoking = new ResiliencePipelineBuilder<VaultReply>
    {
        TimeProvider = time,
    }
        .AddRetry(
            new RetryStrategyOptions<VaultReply>
            {
                ShouldHandle = arguments =>
                    ValueTask.FromResult(
                        arguments.Outcome.Result is VaultReply.NotSent or VaultReply.Declined { Status: 429 }
                    ),
                MaxRetryAttempts = 2,
                Delay = TimeSpan.FromMilliseconds(100),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            }
        )
        .Build();

    /// <summary>
    /// In front of the first call of an issuance: while Vault is away, requests are refused at once instead of piling
    /// up. It counts only that Vault itself is away: a slow backend of one credential must not stop the others, and
    /// nothing ever stops a revocation.
    /// </summary>
    private readonly ResiliencePipeline<VaultReply> _issuing = new ResiliencePipelineBuilder<VaultReply>
    {
        TimeProvider = time,
    }
        .AddCircuitBreaker(
            new CircuitBreakerStrategyOptions<VaultReply>
            {
                ShouldHandle = arguments =>
                    ValueTask.FromResult(arguments.Outcome.Result is VaultReply.NotSent or VaultReply.Lost),
                FailureRatio = 0.5,
                MinimumThroughput = 10,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = TimeSpan.FromSeconds(5),
                OnOpened = arguments =>
                {
                    LogOpened(logger, arguments.BreakDuration);
                    return default;
                },
            }
        )
        .Build();

    public Uri Address => transport.Address;

    /// <summary>Login, health, lookup, accessors: sent again when no answer came or Vault is busy.</summary>
    public ValueTask<VaultReply> RepeatableAsync(VaultCall call, CancellationToken cancellationToken) =>
        ThroughAsync(_repeatable, _control, call, cancellationToken);

    /// <summary>The same, over a line of the caller's.</summary>
    public ValueTask<VaultReply> RepeatableAsync(
        IVaultLine over,
        VaultCall call,
        CancellationToken cancellationToken
    ) => ThroughAsync(_repeatable, over, call, cancellationToken);

    /// <summary>The revocation of a lease at its backend: sent again only if Vault has not begun with it.</summary>
    public ValueTask<VaultReply> RevokingAsync(IVaultLine over, VaultCall call, CancellationToken cancellationToken) =>
        ThroughAsync(_revoking, over, call, cancellationToken);

    /// <summary>
    /// The renewal of the broker's own token and the making of the probe's: sent once, and behind no breaker, for they
    /// tell whether Vault is back.
    /// </summary>
    public ValueTask<VaultReply> OwnAsync(VaultCall call, CancellationToken cancellationToken) =>
        _control.SendAsync(call, cancellationToken);

    /// <summary>The making of a token, or a direct read: sent once, behind the circuit breaker.</summary>
    public ValueTask<VaultReply> IssuingAsync(VaultCall call, CancellationToken cancellationToken) =>
        ThroughAsync(_issuing, transport, call, cancellationToken);

    /// <summary>The making of a secret, and renewals: sent once, whatever comes of it.</summary>
    public ValueTask<VaultReply> OnceAsync(VaultCall call, CancellationToken cancellationToken) =>
        transport.SendAsync(call, cancellationToken);

    /// <summary>A connection of its own for one proof.</summary>
    public VaultProof Prove() => _control.Prove();

    /// <summary>What is asked over one connection, or what to say where its answers prove nothing.</summary>
    public async ValueTask<T> ProveAsync<T>(
        Func<VaultProof, ValueTask<T>> ask,
        Func<VaultReply, T> unproven,
        CancellationToken cancellationToken
    )
    {
        using var proof = Prove();
        if (await proof.BeginAsync(cancellationToken) is { } unfit)
        {
            return unproven(unfit);
        }

        var answer = await ask(proof);
        return await proof.EndAsync(cancellationToken) is { } doubt ? unproven(doubt) : answer;
    }

    /// <summary>Asks which cluster answers. Null, or why it is not the one that is believed.</summary>
    public ValueTask<VaultReply?> SeeClusterAsync(CancellationToken cancellationToken) =>
        _control.SeeClusterAsync(cancellationToken);

    private static async ValueTask<VaultReply> ThroughAsync(
        ResiliencePipeline<VaultReply> pipeline,
        IVaultLine over,
        VaultCall call,
        CancellationToken cancellationToken
    )
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        try
        {
            var outcome = await pipeline.ExecuteOutcomeAsync(
                static async (context, state) =>
                    Outcome.FromResult(await state.over.SendAsync(state.call, context.CancellationToken)),
                context,
                (over, call)
            );
            switch (outcome.Exception)
            {
                case BrokenCircuitException:
                    return new VaultReply.NotSent("it has not answered for a while, and is given a pause");
                case OperationCanceledException:
                    // The wait between two attempts was cut short.
                    return new VaultReply.Lost("no answer in time");
                default:
                    outcome.ThrowIfException();
                    return outcome.Result!;
            }
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static bool IsPassing(VaultReply? reply) =>
        reply is VaultReply.NotSent or VaultReply.Lost or VaultReply.Declined { Status: 429 or 500 or 502 or 504 };

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Vault does not answer: for {Pause} new requests are refused without asking it."
    )]
    private static partial void LogOpened(ILogger logger, TimeSpan pause);
}
