using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Health;

/// <summary>The checks, in the order in which one rests on the other.</summary>
internal sealed class Examination(BrokerConnection connection, ITokenSource? source, Terminal terminal)
{
    /// <summary>
    /// A lease id that no broker gave: asking for it shows whether the token is taken, and changes nothing.
    /// </summary>
    private const string NoLease = "00000000000000000000000000000000";

    private readonly List<DoctorCheck> _checks = [];

    public async Task<DoctorReport> RunAsync(CancellationToken cancellationToken)
    {
        var reached = await ReachAsync(cancellationToken);
        if (reached)
        {
            await HealthAsync(
                "ready",
                "store",
                "The store does not answer: look at the broker's log and disk.",
                cancellationToken
            );
            await HealthAsync(
                "issuing",
                "issuing",
                "Nothing can be issued now; what is issued is still revoked. Run \"credbroker vault check\".",
                cancellationToken
            );
        }

        return new() { Token = await TokenAsync(reached, cancellationToken), Checks = _checks };
    }

    private async Task<bool> ReachAsync(CancellationToken cancellationToken)
    {
        try
        {
            var health = await connection.GetHealthAsync("live", cancellationToken);
            _checks.Add(
                new(
                    "server",
                    health.Status == "ok",
                    $"{connection.Address} answers: {health.Status}",
                    health.Status == "ok" ? null : "Look at the broker's log."
                )
            );
            return true;
        }
        catch (HttpRequestException exception)
        {
            var found = $"{connection.Address} cannot be reached: {(exception.InnerException ?? exception).Message}";
            _checks.Add(
                new(
                    "server",
                    false,
                    found,
                    exception.HttpRequestError switch
                    {
                        HttpRequestError.SecureConnectionError =>
                            "If the broker's certificate comes from your own CA, name it with --ca-file.",
                        HttpRequestError.NameResolutionError => "Check the host name in --server.",
                        _ => "Check that the broker runs, and the host and port in --server.",
                    }
                )
            );
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _checks.Add(
                new(
                    "server",
                    false,
                    $"{connection.Address} did not answer in time",
                    "Check the network between here and the broker."
                )
            );
        }
        catch (BrokerProblemException exception)
        {
            _checks.Add(
                new(
                    "server",
                    false,
                    $"{connection.Address} answers, but not as a broker does: {exception.Message}",
                    "Check the address in --server."
                )
            );
        }

        return false;
    }

    /// <summary>What an operator should see to, though all works.</summary>
    private static string Notes(HealthResponse health) =>
        string.Concat(
            health
                .Parts.Where(part => part is { Status: "ok", Detail: not null })
                .Select(part => $"; {part.Name}: {part.Detail}")
        );

    /// <summary>Who else is on the store.</summary>
    private static string Brokers(HealthResponse health, Func<HealthBrokerResponse, string> said) =>
        health.StoreBrokers is not { Count: > 0 } brokers
            ? ""
            : ", brokers on it: " + string.Join("; ", brokers.Select(said));

    private static string Said(HealthBrokerResponse broker) =>
        $"{broker.Id ?? "one without a name"} since {Time(broker.Since)}";

    private static string Time(DateTimeOffset? at) => at is { } time ? TimeText.Rfc3339(time) : "nobody knows when";

    private async Task HealthAsync(string probe, string name, string cure, CancellationToken cancellationToken)
    {
        var health = await connection.GetHealthAsync(probe, cancellationToken);
        var ill = health
            .Parts.Where(part => part.Status != "ok")
            .Select(part =>
                string.Join(": ", new[] { part.Name, part.Code, part.Detail }.Where(text => text is not null))
            )
            .ToList();
        _checks.Add(
            health.Status == "ok"
                ? new(name, true, Well(broker => $"{Said(broker)}, seen {Time(broker.SeenAt)}"))
                {
                    Lasting = Well(Said),
                }
                : new(name, false, ill.Count > 0 ? string.Join("; ", ill) : health.Status, cure)
        );
        string Well(Func<HealthBrokerResponse, string> said) =>
            $"ok{(probe == "ready" ? Brokers(health, said) : "")}{Notes(health)}";

        if (health.Parts.FirstOrDefault(part => part is { Name: "policy", Status: "ok" })?.Detail is { } notInForce)
        {
            // Secrets are issued all the same, by an older version than somebody thinks.
            _checks.Add(
                new(
                    "policy",
                    false,
                    notInForce,
                    "Mend the policy file; \"credbroker policy show\" lists all its faults."
                )
            );
        }
    }

    private async Task<UnverifiedToken?> TokenAsync(bool reached, CancellationToken cancellationToken)
    {
        if (source is null)
        {
            return null;
        }

        string text;
        try
        {
            text = await source.ReadAsync(cancellationToken);
        }
        catch (TokenSourceException exception)
        {
            _checks.Add(new("token", false, exception.Message, exception.NextStep));
            return null;
        }
        catch (CliException exception)
        {
            // A login that is kept and cannot be used.
            _checks.Add(new("token", false, exception.Message, exception.Next));
            return null;
        }

        if (TokenReading.Decode(text, source.Description) is not { } token)
        {
            _checks.Add(
                new(
                    "token",
                    false,
                    $"{source.Description} holds no JWT",
                    "An identity token is three parts of base64url with dots between them."
                )
            );
            return null;
        }

        _checks.Add(TokenReading.Check(token, terminal.Time));
        if (reached)
        {
            _checks.Add(await AskAsync(cancellationToken));
        }

        return token;
    }

    /// <summary>Whether the broker takes the token, as a workload's or as a person's.</summary>
    private async Task<DoctorCheck> AskAsync(CancellationToken cancellationToken)
    {
        var refused = await RefusalAsync(() => new AgentClient(connection).GetLeaseAsync(NoLease, cancellationToken));
        if (refused is null or { Code: "CB6004" })
        {
            return new("identity", true, "the broker accepts the token as a workload's");
        }

        if (refused.Code == "CB1017")
        {
            refused = await RefusalAsync(() =>
                new AdminClient(connection).ListLeasesAsync(new() { Limit = 1 }, cancellationToken)
            );
        }

        return refused is null
            ? new("identity", true, "the broker accepts the token as a person's with a role")
            : new(
                "identity",
                false,
                $"the broker refuses the token: {refused.Message}",
                ErrorCodes.Find(refused.Code)?.NextStep ?? "Look at the broker's log."
            );
    }

    private static async Task<BrokerProblemException?> RefusalAsync<T>(Func<ValueTask<T>> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (BrokerProblemException exception)
        {
            return exception;
        }
    }
}
