using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CredBroker.Client;

/// <summary>Reads what the broker answers, and never quotes it where it cannot be read: it may be a secret.</summary>
internal static class BrokerAnswer
{
    private const int MaxProblemBytes = 64 * 1024;

    public static async ValueTask<TResponse> ReadAsync<TResponse>(
        HttpResponseMessage response,
        JsonTypeInfo<TResponse> type,
        CancellationToken cancellationToken
    )
        where TResponse : class
    {
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

        throw new BrokerProblemException(
            (int)response.StatusCode,
            new()
            {
                Status = (int)response.StatusCode,
                Title = "Answer not understood",
                Detail =
                    "The server's answer is not what this client knows. Check that the address is a broker's and that its version fits.",
            }
        );
    }

    public static async ValueTask<BrokerProblemException> ProblemAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    ) => new((int)response.StatusCode, await ReadProblemAsync(response, cancellationToken).ConfigureAwait(false));

    private static async ValueTask<ProblemResponse> ReadProblemAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        if (response.Content.Headers.ContentType?.MediaType is "application/problem+json" or "application/json")
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var buffer = new byte[MaxProblemBytes];
                var length = await stream
                    .ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken)
                    .ConfigureAwait(false);
                try
                {
                    if (
                        JsonSerializer.Deserialize(buffer.AsSpan(0, length), BrokerJson.Default.ProblemResponse) is
                        { } problem
                    )
                    {
                        return problem;
                    }
                }
                catch (JsonException)
                {
                    // Told below like every answer that is not the broker's.
                }
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
}
