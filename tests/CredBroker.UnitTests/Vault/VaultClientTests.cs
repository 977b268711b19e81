using System.Globalization;
using CredBroker.Testing.Processes;
using CredBroker.Vault.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Vault;

public sealed class VaultClientTests
{
    [Theory]
    // What changes nothing, or may be done twice, is sent again while Vault is busy or broken.
    [InlineData("repeatable", 500, 3)]
    [InlineData("repeatable", 502, 3)]
    [InlineData("repeatable", 429, 3)]
    // What waits for a backend is sent again only if Vault has not begun with it.
    [InlineData("revoking", 429, 3)]
    [InlineData("revoking", 500, 1)]
    [InlineData("revoking", 502, 1)]
    // An answer is an answer.
    [InlineData("repeatable", 400, 1)]
    [InlineData("repeatable", 403, 1)]
    [InlineData("repeatable", 404, 1)]
    [InlineData("repeatable", 503, 1)]
    // What makes something is sent once, whatever comes back.
    [InlineData("issuing", 500, 1)]
    [InlineData("issuing", 502, 1)]
    [InlineData("once", 500, 1)]
    [InlineData("once", 429, 1)]
    public async Task How_often_a_call_is_sent_is_decided_by_what_it_does(string kind, int status, int expected)
    {
        await using var vault = await ScriptedVault.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync("""{"errors":[]}""");
        });
        using var transport = new VaultTransport(vault.Options(), TimeProvider.System);
        var client = new VaultClient(transport, TimeProvider.System, NullLogger.Instance);

        Assert.IsType<VaultReply.Declined>(await SendAsync(client, transport, kind));

        Assert.Equal(expected, vault.Requests.Count);
    }

    [Fact]
    public async Task While_Vault_is_away_issuing_is_refused_without_asking_it_and_revoking_still_asks()
    {
        await using var vault = await ScriptedVault.StartAsync(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        // The circuit counts failures within seconds and stays open for seconds: none of them pass here.
        var time = new FakeTimeProvider();
        using var transport = new VaultTransport(vault.Options(), TimeProvider.System);
        var client = new VaultClient(transport, time, NullLogger.Instance);
        for (var call = 0; call < 10; call++)
        {
            Assert.IsType<VaultReply.Lost>(await SendAsync(client, transport, "issuing"));
        }

        var refused = await SendAsync(client, transport, "issuing");

        Assert.IsType<VaultReply.NotSent>(refused);
        Assert.Equal(10, vault.Requests.Count);
        var repeated = SendAsync(client, transport, "repeatable").AsTask();
        while (!repeated.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        }

        Assert.IsType<VaultReply.Lost>(await repeated);
        Assert.Equal(13, vault.Requests.Count);
    }

    [Fact]
    public async Task Plain_answers_never_open_the_circuit()
    {
        await using var vault = await ScriptedVault.StartAsync(context =>
        {
            context.Response.StatusCode = 403;
            return context.Response.WriteAsync("""{"errors":[]}""");
        });
        using var transport = new VaultTransport(vault.Options(), TimeProvider.System);
        var client = new VaultClient(transport, TimeProvider.System, NullLogger.Instance);
        for (var call = 0; call < 30; call++)
        {
            await SendAsync(client, transport, "issuing");
        }

        Assert.Equal(30, vault.Requests.Count);
    }

    [Theory]
    [InlineData(-5, "1s")]
    [InlineData(0, "1s")]
    [InlineData(0.2, "1s")]
    [InlineData(60, "60s")]
    [InlineData(60.001, "61s")]
    public void A_life_is_whole_seconds_and_never_none(double seconds, string expected) =>
        Assert.Equal(
            expected,
            VaultBodies.Ttl(TimeSpan.FromSeconds(seconds)),
            StringComparer.Create(CultureInfo.InvariantCulture, CompareOptions.None)
        );

    private static ValueTask<VaultReply> SendAsync(VaultClient client, VaultTransport over, string kind)
    {
        var call = new VaultCall(HttpMethod.Post, "some/path") { Body = "{}"u8.ToArray(), Timeout = Patience.Limit };
        return kind switch
        {
            "repeatable" => client.RepeatableAsync(call, default),
            "revoking" => client.RevokingAsync(over, call, default),
            "issuing" => client.IssuingAsync(call, default),
            _ => client.OnceAsync(call, default),
        };
    }
}
