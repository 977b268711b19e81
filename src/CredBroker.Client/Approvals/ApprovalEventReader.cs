using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace CredBroker.Client;

/// <summary>Reads the stream of one connection, until it ends or has been silent for too long.</summary>
internal sealed class ApprovalEventReader(BrokerConnection connection, TimeProvider time)
{
    // The broker says that there is nothing every fifteen seconds.
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(1);

    public async IAsyncEnumerable<ApprovalEvent> ReadAsync(
        long? after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var silence = new CancellationTokenSource(Silence, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        using var response = await connection
            .StreamAsync("v1/approvals/events", after?.ToString(CultureInfo.InvariantCulture), cancellationToken)
            .ConfigureAwait(false);
        if (response.Content.Headers.ContentType?.MediaType != "text/event-stream")
        {
            throw NotUnderstood();
        }

        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var events = SseParser
                .Create(stream, static (_, data) => data.ToArray())
                .EnumerateAsync(either.Token)
                .GetAsyncEnumerator(either.Token);
            await using (events.ConfigureAwait(false))
            {
                while (await NextAsync(events, silence, cancellationToken).ConfigureAwait(false))
                {
                    if (events.Current.EventType == "approval")
                    {
                        yield return Read(events.Current);
                    }
                }
            }
        }
    }

    private static async ValueTask<bool> NextAsync(
        IAsyncEnumerator<SseItem<byte[]>> events,
        CancellationTokenSource silence,
        CancellationToken cancellationToken
    )
    {
        // However long whoever reads has worked on the last one.
        silence.CancelAfter(Silence);
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
            when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new IOException("The broker has said nothing for a minute.", exception);
        }
    }

    private static ApprovalEvent Read(SseItem<byte[]> item)
    {
        try
        {
            if (
                long.TryParse(item.EventId, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && JsonSerializer.Deserialize(item.Data, BrokerJson.Default.ApprovalResponse) is { } approval
            )
            {
                return new(number, approval);
            }
        }
        catch (JsonException)
        {
            // Told below.
        }

        throw NotUnderstood();
    }

    private static BrokerProblemException NotUnderstood() =>
        new(
            200,
            new()
            {
                Status = 200,
                Title = "Answer not understood",
                Detail = "The server's stream is not what this client knows.",
            }
        );
}
