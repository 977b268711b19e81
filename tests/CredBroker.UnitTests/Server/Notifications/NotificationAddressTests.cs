using System.Net;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Server.Hosting;
using CredBroker.Server.Notifications;
using Microsoft.AspNetCore.Http;

namespace CredBroker.UnitTests.Server.Notifications;

/// <summary>Where a message may go, and the faults of the settings that say so.</summary>
public sealed class NotificationAddressTests : NotificationTestBase
{
    [Fact]
    public async Task No_redirect_is_followed_and_no_answer_is_read()
    {
        _receiver.Answer = http =>
        {
            http.Response.Redirect($"{_receiver.Address}elsewhere");
            return Task.CompletedTask;
        };
        Assert.Equal("it answered 302", await SendAsync(Desk()));
        _receiver.Answer = async http =>
        {
            // Without an end: who read it would wait for ever.
            await http.Response.WriteAsync(new string('x', 1024));
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        };
        Assert.Null(await SendAsync(Desk()));
        Assert.DoesNotContain(_receiver.Messages, message => message.Path == "/elsewhere");
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.7")]
    [InlineData("169.254.169.254")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task A_name_that_comes_to_lead_into_a_private_network_is_not_called(string leadsTo)
    {
        var endpoint = Desk() with
        {
            Url = $"https://hooks.example:{_receiver.Address.Port}/",
            AllowPrivateAddress = false,
        };
        Assert.Empty(endpoint.Validate("Endpoints:0"));
        var asked = 0;
        var target = new NotificationTarget(
            TimeProvider.System,
            (_, _) =>
            {
                asked++;
                return Task.FromResult<IPAddress[]>([IPAddress.Parse(leadsTo)]);
            }
        );
        Assert.Equal(
            "its name leads to no address that may be called",
            (await target.SendAsync(endpoint, "msg_1", "{}"u8.ToArray(), default)).Why
        );
        Assert.Equal(1, asked);
        Assert.Empty(_receiver.Messages);
    }

    [Fact]
    public async Task In_clear_it_goes_to_this_machine_and_no_further()
    {
        var target = new NotificationTarget(
            TimeProvider.System,
            (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("10.0.0.7")])
        );
        Assert.Equal(
            "its name leads to no address that may be called",
            (
                await target.SendAsync(
                    Desk() with
                    {
                        Url = $"http://localhost:{_receiver.Address.Port}/",
                    },
                    "msg_1",
                    "{}"u8.ToArray(),
                    default
                )
            ).Why
        );
    }

    [Fact]
    public async Task What_kept_it_names_no_address()
    {
        await File.WriteAllTextAsync(_url, "https://127.0.0.1:1/token-in-the-address");
        var why = await SendAsync(Chat(NotificationFormat.Slack));
        Assert.Contains("could not be reached", why, StringComparison.Ordinal);
        Assert.DoesNotContain("token", why, StringComparison.Ordinal);
        File.Delete(_url);
        Assert.Equal("the file does not exist", await SendAsync(Chat(NotificationFormat.Slack)));
    }

    [Fact]
    public void Every_fault_of_the_settings_is_told_with_what_to_write()
    {
        var options = new NotificationOptions
        {
            Link = "http://approvals.example",
            Endpoints =
            [
                new() { Name = "a b" },
                Desk() with
                {
                    Url = "http://hooks.example/",
                },
                Desk() with
                {
                    Url = "https://10.0.0.1/",
                    AllowPrivateAddress = false,
                },
                Desk() with
                {
                    Url = "https://169.254.169.254/",
                },
                Desk() with
                {
                    Url = "https://user:password@hooks.example/",
                },
                Desk() with
                {
                    SecretFile = "/does/not/exist",
                },
                Chat(NotificationFormat.Teams) with
                {
                    UrlFile = "",
                    Url = "https://hooks.example/token",
                },
            ],
        };
        var faults = options.Validate().ToList();
        foreach (
            var (place, setting) in new[]
            {
                (0, "Name"),
                (0, " needs one of Url and UrlFile"),
                (0, "SecretFile"),
                (1, "Url"),
                (2, "Url"),
                (3, "Url"),
                (4, "Url"),
                (5, "SecretFile"),
                (6, "Url"),
            }
        )
        {
            Assert.Contains(
                faults,
                fault =>
                    fault.StartsWith($"Notifications:Endpoints:{place}", StringComparison.Ordinal)
                    && fault.Contains(setting, StringComparison.Ordinal)
            );
        }

        Assert.Contains(faults, fault => fault.StartsWith("Notifications:Link", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("\"desk\" twice", StringComparison.Ordinal));
        Assert.DoesNotContain(faults, fault => fault.Contains("password", StringComparison.Ordinal));
        Assert.Empty(new NotificationOptions().Validate());
    }

    private static async Task<string?> SendAsync(NotificationEndpointOptions endpoint) =>
        (await new NotificationTarget(TimeProvider.System).SendAsync(endpoint, "msg_1", "{}"u8.ToArray(), default)).Why;
}
