using CredBroker.Cli.Output;

namespace CredBroker.Cli.Login;

/// <summary>
/// The device authorization flow (RFC 8628): a person opens an address on any machine and enters a code, while this one
/// asks the issuer again and again.
/// </summary>
internal sealed class DeviceLogin(IssuerConnection connection, Terminal terminal)
{
    private const string GrantType = "urn:ietf:params:oauth:grant-type:device_code";

    private static readonly TimeSpan UnsaidInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SlowDown = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestLife = TimeSpan.FromHours(1);

    public async Task<IssuedTokens> RunAsync(
        LoginTarget target,
        IssuerMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        if (metadata.Device is null)
        {
            throw CliException.Usage(
                $"{target.Issuer} has no device flow.",
                "Log in with --browser on a machine that has one."
            );
        }

        string device;
        TimeSpan interval;
        DateTimeOffset ends;
        using (var begun = await connection.PostAsync(metadata.Device, target.Form(), cancellationToken))
        {
            device = Read(begun, target, out interval, out ends);
        }

        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", GrantType),
            new("device_code", device),
            new("client_id", target.ClientId),
        };
        if (target.Resource is not null)
        {
            form.Add(new("resource", target.Resource));
        }

        while (true)
        {
            var left = ends - terminal.Time.GetUtcNow();
            if (left > TimeSpan.Zero)
            {
                await Task.Delay(left < interval ? left : interval, terminal.Time, cancellationToken);
            }

            if (terminal.Time.GetUtcNow() >= ends)
            {
                throw Ended();
            }

            IssuerAnswer answer;
            try
            {
                answer = await connection.PostAsync(metadata.Token, form, cancellationToken);
            }
            catch (IssuerUnreachableException)
            {
                // RFC 8628, section 3.5: back off, until the code ends.
                interval = Longer(interval);
                continue;
            }

            using (answer)
            {
                switch (answer.Error)
                {
                    case "authorization_pending":
                        break;
                    case "slow_down":
                        interval += SlowDown;
                        break;
                    case "access_denied":
                        throw new CliException(ExitCodes.Refused, "The login was refused.", "");
                    case "expired_token":
                        throw Ended();
                    default:
                        return IssuedTokens.Read(answer, target, terminal.Time);
                }
            }
        }
    }

    /// <summary>Twice as long, and by what slow_down asks at least; no longer than it has to be, and never shorter.</summary>
    private static TimeSpan Longer(TimeSpan interval)
    {
        if (interval >= LongestInterval)
        {
            return interval;
        }

        var next = interval < SlowDown ? interval + SlowDown : interval * 2;
        return next < LongestInterval ? next : LongestInterval;
    }

    /// <summary>Tells the person what to do, and gives the code that this machine asks with.</summary>
    private string Read(IssuerAnswer begun, LoginTarget target, out TimeSpan interval, out DateTimeOffset ends)
    {
        if (
            !begun.IsOk
            || begun.Text("device_code") is not { Length: > 0 } device
            || begun.Text("user_code") is not { Length: > 0 and <= 64 } code
            || begun.Seconds("expires_in") is not { } life
        )
        {
            throw new CliException(
                ExitCodes.Refused,
                $"{target.Issuer} began no login: {begun.Words}.",
                "Check that the client is registered there for the device flow."
            );
        }

        var page = Page(begun, "verification_uri", target) ?? throw NoPage(target);
        interval = begun.Seconds("interval") is { } said && said > TimeSpan.Zero ? said : UnsaidInterval;
        interval = interval < LongestInterval ? interval : LongestInterval;
        ends = terminal.Time.GetUtcNow() + (life < LongestLife ? life : LongestLife);
        terminal.Error.WriteLine($"Open {Shown(page)} in a browser and enter the code {Printable.Text(code)}");
        if (Page(begun, "verification_uri_complete", target) is { } complete)
        {
            terminal.Error.WriteLine($"or open {Shown(complete)} and compare the code.");
        }

        return device;
    }

    private static Uri? Page(IssuerAnswer begun, string name, LoginTarget target) =>
        begun.Text(name) switch
        {
            null => null,
            var text
                when Uri.TryCreate(text, UriKind.Absolute, out var page)
                    && IssuerConnection.IsProtected(page)
                    && (IssuerMetadata.AddressOf(target.Issuer).IsLoopback || !page.IsLoopback) => page,
            _ => throw NoPage(target),
        };

    private static string Shown(Uri page) => Printable.Text(page.AbsoluteUri);

    private static CliException NoPage(LoginTarget target) =>
        new(ExitCodes.Failed, $"{target.Issuer} names no page that a person can be sent to.", "Ask its operator.");

    private static CliException Ended() =>
        new(ExitCodes.Refused, "The code has ended before anybody entered it.", "Log in again.");
}
