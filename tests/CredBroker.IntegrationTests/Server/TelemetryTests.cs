using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Server.Hosting;

namespace CredBroker.IntegrationTests.Server;

public sealed class TelemetryTests
{
    [Fact]
    public async Task A_trace_names_the_credential_only_where_it_was_issued()
    {
        var (issued, unknown, stranger) = (ActivityTraceId.CreateRandom(), ActivityTraceId.CreateRandom(), ActivityTraceId.CreateRandom());
        var seen = new ConcurrentDictionary<ActivityTraceId, object?>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.Source.Name == Telemetry.Name)
                {
                    seen[activity.TraceId] = activity.GetTagItem("credbroker.credential");
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var broker = await TestBroker.StartAsync();

        await SendAsync(issued, broker.Agent(), "invoice-api-key", HttpStatusCode.Created);
        await SendAsync(unknown, broker.Agent(), "made-up-by-the-caller", HttpStatusCode.Forbidden);
        await SendAsync(stranger, "no.token.atall", "invoice-api-key", HttpStatusCode.Unauthorized);

        Assert.Equal("invoice-api-key", seen[issued]);
        Assert.Null(seen[unknown]);
        Assert.Null(seen[stranger]);

        async Task SendAsync(ActivityTraceId trace, string token, string credential, HttpStatusCode expected)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials")
            {
                Content = new StringContent(Api.Exchange(credential).ToString()!, Encoding.UTF8, "application/json"),
            };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
            using var response = await broker.Http.SendAsync(request);
            Assert.Equal(expected, response.StatusCode);
        }
    }
}
