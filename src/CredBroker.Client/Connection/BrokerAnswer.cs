using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CredBroker.Client;

/// <summary>
/// Reads what the broker answers, and never quotes it where it cannot be read: it may be a secret. A body has a size and a
/// time that it may take, because a call that ends with the headers bounds neither (nor does its <see cref="HttpClient"/>).
/// </summary>
internal static class BrokerAnswer
{
    /// <summary>The longest page of a list and the progress of the largest order are far below it.</summary>
    private const int MaxBytes = 32 << 20;
    private const int MaxProblemBytes = 64 * 1024;

    public static async ValueTask<TResponse> ReadAsync<TResponse>(
        HttpResponseMessage response,
        JsonTypeInfo<TResponse> type,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
        where TResponse : class
    {
        if (!await BufferAsync(response, MaxBytes, timeout, cancellationToken).ConfigureAwait(false))
        {
            throw Fault(
                response,
                "Answer too large",
                $"The server's answer is larger than {MaxBytes >> 20} MiB, and was not read to its end. Ask for less at once, and check that the address is a broker's."
            );
        }

        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                if (
                    await JsonSerializer.DeserializeAsync(stream, type, cancellationToken).ConfigureAwait(false) is
                    { } value
                )
                {
                    return value;
                }
            }
        }
        catch (JsonException)
        {
            // Not kept as the inner exception: its text may quote the body, and the body may be a secret.
        }

        throw Fault(
            response,
            "Answer not understood",
            "The server's answer is not what this client knows. Check that the address is a broker's and that its version fits."
        );
    }

    public static async ValueTask<BrokerProblemException> ProblemAsync(
        HttpResponseMessage response,
        TimeSpan timeout,
        CancellationToken cancellationToken
    ) =>
        new(
            (int)response.StatusCode,
            await ReadProblemAsync(response, timeout, cancellationToken).ConfigureAwait(false)
        );

    private static async ValueTask<ProblemResponse> ReadProblemAsync(
        HttpResponseMessage response,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        if (
            response.Content.Headers.ContentType?.MediaType is "application/problem+json" or "application/json"
            && await BufferAsync(response, MaxProblemBytes, timeout, cancellationToken).ConfigureAwait(false)
        )
        {
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (JsonSerializer.Deserialize(body, BrokerJson.Default.ProblemResponse) is { } problem)
                {
                    return problem;
                }
            }
            catch (JsonException)
            {
                // Told below like every answer that is not the broker's.
            }
        }

        return new()
        {
            Status = (int)response.StatusCode,
            Title = response.ReasonPhrase,
            Detail =
                "The answer carries no problem document: it may come from a proxy, or the address may not be a broker's.",
        };
    }

    /// <summary>
    /// Has the whole body here, in memory; false where it is too large. One that does not end in time ends as
    /// <see cref="HttpClient"/> ends a call that does not.
    /// </summary>
    private static async ValueTask<bool> BufferAsync(
        HttpResponseMessage response,
        int maxBytes,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(timeout);
        try
        {
            await response.Content.LoadIntoBufferAsync(maxBytes, patience.Token).ConfigureAwait(false);
            return true;
        }
        catch (HttpRequestException exception)
            when (exception.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            return false;
        }
        catch (Exception) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // A body that is cut off may end with a fault of the connection, too; what was read is not told.
            const string message = "The server began an answer and did not end it in time.";
            throw new TaskCanceledException(message, new TimeoutException(message), patience.Token);
        }
    }

    private static BrokerProblemException Fault(HttpResponseMessage response, string title, string detail) =>
        new(
            (int)response.StatusCode,
            new()
            {
                Status = (int)response.StatusCode,
                Title = title,
                Detail = detail,
            }
        );
}
