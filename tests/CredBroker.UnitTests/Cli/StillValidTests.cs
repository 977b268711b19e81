using CredBroker.Cli;
using CredBroker.Cli.Commands.Leases;
using CredBroker.Client;

namespace CredBroker.UnitTests.Cli;

public sealed class StillValidTests
{
    private static readonly DateTimeOffset Later = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_is_done_once_is_said_once_with_how_many_leases_it_is_for_and_the_latest_end()
    {
        using var error = new StringWriter();
        LeaseTable.WriteStillValid(
            new()
            {
                Out = TextWriter.Null,
                Error = error,
                In = Stream.Null,
                OpenOut = () => Stream.Null,
                OutIsTerminal = false,
                ErrorIsTerminal = false,
                Variable = _ => null,
                Time = TimeProvider.System,
            },
            [
                Of("one", "key", "Rotate secret/key.", null),
                Of("two", "key", "Rotate secret/key.", null),
                Of("one", "tls", "CRL", Later),
                Of("two", "tls", "CRL", Later.AddMinutes(1)),
                Of("six", "tls", "OCSP", Later),
                Of("", "db", "Not searched: db", null),
            ]
        );

        Assert.Equal(
            [
                "Still valid: key of 2 leases, no end is known: Rotate secret/key.",
                "Still valid: tls of 2 leases, until 2030-01-01T00:01:00Z: CRL",
                "Still valid: tls of lease six, until 2030-01-01T00:00:00Z: OCSP",
                "Not searched: db",
            ],
            error.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)
        );
    }

    private static StillValidResponse Of(string lease, string credential, string what, DateTimeOffset? until) =>
        new()
        {
            LeaseId = lease,
            Credential = credential,
            What = what,
            Until = until,
        };
}
