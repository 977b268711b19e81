using Microsoft.Extensions.Logging;

namespace CredBroker.Client;

/// <summary>
/// A secret that is held for as long as it is needed: renewed in the background, given back when it is disposed.
/// </summary>
/// <remarks>
/// A renewal is tried when two thirds of the secret's life are over, and again at short intervals where it fails for a
/// passing reason; <see cref="Ending"/> tells when that has not helped. Times are the broker's, so this machine's clock
/// must agree with it.
/// </remarks>
public sealed partial class CredentialLease : IAsyncDisposable
{
    private readonly AgentClient _client;
    private readonly TimeSpan _releaseTimeout;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaseRenewal _renewal;
    private SecretResponse? _secret;
    private int _disposals;

    internal CredentialLease(
        AgentClient client,
        ExchangeResponse issued,
        CredentialLeaseOptions options,
        TimeProvider time,
        ILogger logger
    )
    {
        (_client, _releaseTimeout, _time, _logger) = (client, options.ReleaseTimeout, time, logger);
        (LeaseId, Decision, _secret) = (issued.LeaseId, issued.Decision, issued.Secret);
        _renewal = new(client, issued, options, time, logger);
    }

    /// <summary>Names the lease in every call and in the audit log. It is no secret.</summary>
    public string LeaseId { get; }

    /// <summary>The decision that allowed it.</summary>
    public DecisionReference Decision { get; }

    /// <summary>When the secret ends, unless it is renewed again.</summary>
    public DateTimeOffset ExpiresAt => _renewal.ExpiresAt;

    /// <summary>
    /// Fires when 70 % of the secret's life are over and it was not renewed: time to wind up, while what is left is
    /// still enough for that. A life begins when the secret is issued and, anew, with every renewal that lengthens it.
    /// It fires once and for good, although renewing is still tried until the end; giving the secret back does not fire
    /// it.
    /// </summary>
    public CancellationToken Ending => _renewal.Ending;

    /// <summary>Why the last renewal failed; null where none did, or a later one succeeded.</summary>
    public Exception? RenewalFailure => _renewal.Failure;

    /// <summary>What giving it back came to; null before, or where it failed.</summary>
    public ReleaseResponse? Release { get; private set; }

    /// <summary>
    /// Why disposing could not give it back; it then ends by itself at <see cref="ExpiresAt"/>. Null where it could.
    /// </summary>
    public Exception? ReleaseFailure { get; private set; }

    /// <summary>
    /// The secret. It is a method and no property, so that nothing that prints or serializes a lease prints it.
    /// </summary>
    /// <typeparam name="TSecret">
    /// The kind that the catalogue's entry gives, such as <see cref="DatabaseSecret"/>; <see cref="SecretResponse"/>
    /// where any will do.
    /// </typeparam>
    /// <exception cref="InvalidCastException">It is of another kind.</exception>
    /// <exception cref="ObjectDisposedException">It was given back.</exception>
    public TSecret GetSecret<TSecret>()
        where TSecret : SecretResponse
    {
        var secret = _secret;
        ObjectDisposedException.ThrowIf(secret is null, this);
        return secret as TSecret
            ?? throw new InvalidCastException(
                $"This credential is a {secret.GetType().Name}, not a {typeof(TSecret).Name}."
            );
    }

    /// <summary>
    /// Gives the secret back now, and says what came of it. Disposing does the same, but tells no failure by throwing.
    /// </summary>
    /// <exception cref="BrokerProblemException">The broker could not take it back; it may be tried again.</exception>
    /// <exception cref="HttpRequestException">The broker cannot be reached; it may be tried again.</exception>
    public async ValueTask<ReleaseResponse> ReleaseAsync(CancellationToken cancellationToken = default)
    {
        _secret = null;
        await _renewal.DisposeAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        return Release ??= await _client.ReleaseAsync(LeaseId, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Stops renewing and gives the secret back. It waits no longer than
    /// <see cref="CredentialLeaseOptions.ReleaseTimeout"/> and never throws, because that would hide the exception that
    /// ended the work: see <see cref="ReleaseFailure"/>.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Increment(ref _disposals) > 1)
        {
            return;
        }

        using var timeout = new CancellationTokenSource(_releaseTimeout, _time);
        try
        {
            // Waited for apart from the call, which may hang in a token source that hears no cancellation.
            await ReleaseAsync(timeout.Token).AsTask().WaitAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            ReleaseFailure = exception;
            LogNotReleased(LeaseId, ExpiresAt, exception);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Lease {LeaseId} could not be given back; it ends by itself {ExpiresAt:O}"
    )]
    private partial void LogNotReleased(string leaseId, DateTimeOffset expiresAt, Exception exception);
}
