using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Testing.Processes;
using CredBroker.Vault;
using CredBroker.Vault.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Vault;

public sealed class VaultTransportTests
{
    private static readonly TimeSpan Timeout = Patience.Limit;

    /// <summary>
    /// The platform's handler sends a request without a body again when a kept connection is closed before the answer;
    /// a GET may mint.
    /// </summary>
    [Fact]
    public async Task A_minting_read_is_sent_once_even_when_a_kept_connection_is_closed_before_the_answer()
    {
        var mints = 0;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var over = new CancellationTokenSource();
        var serving = ServeAsync();
        using var transport = new VaultTransport(
            new() { Address = $"http://{listener.LocalEndpoint}" },
            TimeProvider.System
        );
        Assert.IsType<VaultReply.Done>(
            await transport.SendAsync(new(HttpMethod.Get, "sys/health") { Timeout = Timeout }, default)
        );

        var reply = await transport.SendAsync(new(HttpMethod.Get, "database/creds/x") { Timeout = Timeout }, default);

        Assert.IsType<VaultReply.Lost>(reply);
        Assert.Equal(1, mints);
        await over.CancelAsync();
        await serving;

        // Answers a health check and keeps the connection; closes it, in good order, under a mint.
        async Task ServeAsync()
        {
            while (!over.IsCancellationRequested)
            {
                try
                {
                    using var connection = await listener.AcceptTcpClientAsync(over.Token);
                    var buffer = new byte[4096];
                    while (await connection.GetStream().ReadAsync(buffer, over.Token) is > 0 and var count)
                    {
                        if (Encoding.ASCII.GetString(buffer, 0, count).Contains("creds", StringComparison.Ordinal))
                        {
                            mints++;
                            break;
                        }

                        await connection
                            .GetStream()
                            .WriteAsync("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray(), over.Token);
                    }
                }
                catch (OperationCanceledException)
                {
                    // Over.
                }
            }
        }
    }

    [Fact]
    public async Task A_redirect_is_not_followed_because_the_token_would_go_with_it()
    {
        await using var vault = await ScriptedVault.StartAsync(context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = "http://127.0.0.1:1/elsewhere";
            return Task.CompletedTask;
        });

        var declined = Assert.IsType<VaultReply.Declined>(await SendAsync(vault));

        Assert.Equal(307, declined.Status);
        Assert.Single(vault.Requests);
        Assert.Equal(RefusalCode.VaultStandby, VaultRefusals.For(declined).Code);
    }

    [Fact]
    public async Task The_token_travels_in_its_header_and_the_namespace_in_its_own()
    {
        await using var vault = await ScriptedVault.StartAsync(ScriptedVault.NoContentAsync);

        await SendAsync(vault);

        Assert.Equal("the-token", vault.Headers["X-Vault-Token"]);
        Assert.Equal("team/a", vault.Headers["X-Vault-Namespace"]);
        Assert.Equal("true", vault.Headers["X-Vault-Request"]);
        Assert.Equal("0192", vault.Headers["X-CredBroker-Lease"]);
        Assert.Equal(["GET some/path"], vault.Requests);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("""{"auth":5}""")]
    public async Task An_answer_that_Vault_would_not_give_leaves_the_outcome_unknown(string body)
    {
        await using var vault = await ScriptedVault.StartAsync(context => context.Response.WriteAsync(body));

        Assert.IsType<VaultReply.Lost>(await SendAsync(vault));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_leaves_the_outcome_unknown()
    {
        await using var vault = await ScriptedVault.StartAsync(async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("""{"lease_id":"a""");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });

        Assert.IsType<VaultReply.Lost>(await SendAsync(vault));
    }

    [Fact]
    public async Task Only_the_configured_authority_is_trusted()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=vault", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(
            TimeProvider.System.GetUtcNow().AddMinutes(-5),
            TimeProvider.System.GetUtcNow().AddMinutes(5)
        );
        await using var vault = await ScriptedVault.StartAsync(ScriptedVault.NoContentAsync, certificate);
        var caFile = Path.GetTempFileName();
        await File.WriteAllTextAsync(caFile, certificate.ExportCertificatePem());
        using var trusting = new VaultTransport(vault.Options() with { CaFile = caFile }, TimeProvider.System);
        using var other = new VaultTransport(vault.Options(), TimeProvider.System);

        Assert.IsType<VaultReply.Done>(await trusting.SendAsync(Call(), default));
        Assert.IsType<VaultReply.NotSent>(await other.SendAsync(Call(), default));

        Assert.Single(vault.Requests);
        File.Delete(caFile);
    }

    [Fact]
    public async Task An_endless_answer_is_cut_off()
    {
        await using var vault = await ScriptedVault.StartAsync(async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync(new string(' ', 65536), context.RequestAborted);
            }
        });

        Assert.IsType<VaultReply.Lost>(await SendAsync(vault));
    }

    [Fact]
    public async Task A_connection_that_is_reset_at_any_moment_is_an_answer_and_never_an_exception()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(512);
        using var over = new CancellationTokenSource();
        var resetting = ResetAsync();
        using var transport = new VaultTransport(
            new() { Address = $"http://{listener.LocalEndpoint}" },
            TimeProvider.System
        );
        for (var i = 0; i < 200; i++)
        {
            var replies = await Task.WhenAll(
                Enumerable
                    .Range(0, 16)
                    .Select(_ =>
                        transport.SendAsync(new(HttpMethod.Get, "sys/health") { Timeout = Timeout }, default).AsTask()
                    )
            );
            Assert.DoesNotContain(replies, reply => reply is VaultReply.Done);
        }

        await over.CancelAsync();
        await resetting;

        async Task ResetAsync()
        {
            while (!over.IsCancellationRequested)
            {
                try
                {
                    var socket = await listener.AcceptSocketAsync(over.Token);
                    socket.LingerState = new(enable: true, seconds: 0);
                    socket.Dispose();
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }

    [Fact]
    public async Task A_silent_Vault_is_given_up_on_in_time_and_never_by_an_exception()
    {
        using var asked = new SemaphoreSlim(0);
        await using var vault = await ScriptedVault.StartAsync(context =>
        {
            asked.Release();
            return Task.Delay(System.Threading.Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
                .ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var time = new FakeTimeProvider();
        using var transport = new VaultTransport(vault.Options(), time);

        var waiting = transport
            .SendAsync(new(HttpMethod.Get, "a") { Timeout = TimeSpan.FromMilliseconds(100) }, default)
            .AsTask();
        Assert.True(await asked.WaitAsync(Patience.Limit));
        time.Advance(TimeSpan.FromMilliseconds(100));
        var own = await waiting;
        using var caller = new CancellationTokenSource();
        waiting = transport.SendAsync(new(HttpMethod.Get, "a") { Timeout = Timeout }, caller.Token).AsTask();
        Assert.True(await asked.WaitAsync(Patience.Limit));
        await caller.CancelAsync();
        var callers = await waiting;
        var late = await transport.SendAsync(new(HttpMethod.Get, "a") { Timeout = Timeout }, caller.Token);

        Assert.Contains("0.1 s", Assert.IsType<VaultReply.Lost>(own).Reason);
        Assert.IsType<VaultReply.Lost>(callers);
        Assert.IsType<VaultReply.NotSent>(late);
    }

    [Fact]
    public async Task A_Vault_that_is_not_there_has_not_seen_the_call()
    {
        var vault = await ScriptedVault.StartAsync(_ => Task.CompletedTask);
        var options = vault.Options();
        await vault.DisposeAsync();
        using var transport = new VaultTransport(options, TimeProvider.System);

        Assert.IsType<VaultReply.NotSent>(
            await transport.SendAsync(new(HttpMethod.Get, "a") { Timeout = Timeout }, default)
        );
    }

    [Theory]
    [InlineData(400, "<html>Bad request</html>")]
    [InlineData(403, "")]
    [InlineData(404, """{"message":"no such route"}""")]
    [InlineData(407, "proxy authentication required")]
    [InlineData(503, "no healthy upstream")]
    public async Task An_answer_that_is_not_Vaults_says_nothing_about_Vault(int status, string text)
    {
        await using var vault = await ScriptedVault.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(text);
        });

        var lost = Assert.IsType<VaultReply.Lost>(await SendAsync(vault));

        Assert.Contains($"({status}) is not Vault's", lost.Reason, StringComparison.Ordinal);
        Assert.False(VaultRefusals.SaysNothingWasMade(lost));
        Assert.False(VaultRefusals.SaysNothingWasMade(new VaultReply.Declined(307, "")));
    }

    [Fact]
    public async Task Vaults_words_are_kept_on_one_bounded_line()
    {
        await using var vault = await ScriptedVault.StartAsync(context =>
        {
            context.Response.StatusCode = (int)HttpStatusCode.BadRequest;
            return context.Response.WriteAsJsonAsync(
                new { errors = new[] { "first\nline\u0007", new string('x', 5000) } }
            );
        });

        var declined = Assert.IsType<VaultReply.Declined>(await SendAsync(vault));

        Assert.StartsWith("first line ; xxx", declined.Words);
        Assert.InRange(declined.Words.Length, 100, 401);
    }

    [Fact]
    public async Task Nothing_of_a_call_or_an_answer_prints_a_secret()
    {
        await using var vault = await ScriptedVault.StartAsync(context =>
            ScriptedVault.Answer("""{"auth":{"client_token":"s.secret"},"data":{"password":"s.secret"}}""")(context)
        );
        var call = Call();

        var reply = await SendAsync(vault);

        Assert.DoesNotContain("s.secret", reply.ToString());
        Assert.DoesNotContain("the-token", call.ToString());
        Assert.DoesNotContain("s.secret", ((VaultReply.Done)reply).Body.Auth!.ToString());
    }

    private static VaultCall Call() =>
        new(HttpMethod.Get, "some/path")
        {
            Token = new SecretText("the-token"),
            LeaseId = "0192",
            Timeout = Timeout,
        };

    private static async Task<VaultReply> SendAsync(ScriptedVault vault)
    {
        using var transport = new VaultTransport(
            vault.Options() with
            {
                Namespace = "team/a",
                MaxResponseBytes = 1024 * 1024,
            },
            TimeProvider.System
        );
        return await transport.SendAsync(Call(), default);
    }
}
