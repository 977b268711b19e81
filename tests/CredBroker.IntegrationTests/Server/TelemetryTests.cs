using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Server.Hosting;

namespace CredBroker.IntegrationTests.Server;

public sealed class TelemetryTests
{
    [Fact]
    public async Task A_trace_names_the_credential_only_where_it_was_issued()
    {
        var (issued, unknown, stranger) = (
            ActivityTraceId.CreateRandom(),
            ActivityTraceId.CreateRandom(),
            ActivityTraceId.CreateRandom()
        );
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

        using var good = await SendAsync(issued, broker.Agent(), "billing-readonly");
        await good.ReadAsync(HttpStatusCode.Created);
        using var made = await SendAsync(unknown, broker.Agent(), "made-up-by-the-caller");
        await made.ReadProblemAsync("CB2006");
        using var refused = await SendAsync(stranger, "no.token.atall", "billing-readonly");
        await refused.ReadProblemAsync("CB1002");

        Assert.Equal("billing-readonly", seen[issued]);
        Assert.Null(seen[unknown]);
        Assert.Null(seen[stranger]);

        async Task<HttpResponseMessage> SendAsync(ActivityTraceId trace, string token, string credential)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials")
            {
                Content = Api.Exchange(credential),
            };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            request.Headers.Add("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
            return await broker.Http.SendAsync(request);
        }
    }
}
