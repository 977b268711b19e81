using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Client;

namespace CredBroker.Samples.Quickstart;

/// <summary>
/// The whole story of the broker, one step after the other; every step checks that it really happened.
/// </summary>
internal sealed partial class Story(Narrator narrator, LocalBroker broker, BillingService billing) : IDisposable
{
    private static readonly TaskDeclaration Task = new()
    {
        Id = "invoice-42",
        Process = "invoice-triage",
        Purpose = "sort invoice 42 into its cost centre",
    };

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly AgentClient _agent = broker.Agent("triage", "triage-1");
    private readonly List<string> _secrets = [];

    /// <summary>Starts the broker, plays, and stops it; or leaves it running until Ctrl+C.</summary>
    public static async Task PlayAsync(Narrator narrator, bool keep, CancellationToken cancellationToken)
    {
        narrator.Plain(
            "CredBroker quickstart: an agent gets secrets for one task, for minutes; "
                + "the broker takes them back and keeps the record."
        );
        narrator.Step("The broker starts, with everything built in");
        await using var broker = await LocalBroker.StartAsync(usualPorts: keep, cancellationToken);
        narrator.Say($"broker      {broker.Address}");
        narrator.Say($"dev issuer  {broker.Dev.Issuer.Address}  says who an agent is");
        narrator.Say($"DevVault    {broker.Dev.Vault.Address}  a Vault in memory, prepared by `vault setup`");
        var health = await broker.GetHealthAsync("issuing", cancellationToken);
        narrator.Check(health.Status == "ok", "the broker issues: it has just proven that it can revoke");

        using var billing = await BillingService.TrustAsync(broker.Http, broker.Dev.Vault.Address, cancellationToken);
        using var story = new Story(narrator, broker, billing);
        await story.ProveIdentityAsync(cancellationToken);
        using var certificate = await story.GetCertificateAsync(cancellationToken);
        await story.GetValueAsync(cancellationToken);
        await story.ReleaseAsync(certificate, cancellationToken);
        await story.ExpireAsync(cancellationToken);
        await story.BeDeniedAsync(cancellationToken);
        var payment = await new ApprovalSteps(narrator, broker, story._secrets).PlayAsync(cancellationToken);
        await story.RevokeAgentAsync(cancellationToken);
        await story.ChangePolicyAsync(cancellationToken);
        await AuditSteps.PlayAsync(narrator, broker, story._secrets, payment, cancellationToken);

        narrator.Plain(
            string.Create(
                CultureInfo.InvariantCulture,
                $"All {narrator.Steps} steps happened as they should, in {narrator.Elapsed.TotalSeconds:0.0} s."
            )
        );
        if (keep)
        {
            narrator.Verbatim(broker.Describe());
            narrator.Plain("The broker runs until Ctrl+C.");
            await System
                .Threading.Tasks.Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        else
        {
            narrator.Plain("Go on by hand: dotnet run --project samples/Quickstart -- --keep");
        }
    }

    public void Dispose() => _key.Dispose();

    private async Task ProveIdentityAsync(CancellationToken cancellationToken)
    {
        narrator.Step("An agent proves which workload it is");
        var token = await broker.AgentTokenAsync("triage", "triage-1", cancellationToken);
        _secrets.Add(token);
        narrator.Check(
            token.Count(c => c == '.') == 2,
            "it has an identity token: workload triage, instance triage-1, for 15 minutes. It holds no secret."
        );
    }

    private async Task<(ExchangeResponse, X509Certificate2)> CertifyAsync(
        TimeSpan? ttl,
        CancellationToken cancellationToken
    )
    {
        var issued = await _agent.ExchangeAsync(
            new ExchangeRequest
            {
                Task = Task,
                Credential = "agent-mtls",
                Actions = ["connect"],
                Ttl = ttl,
                Csr = Certificates.Request(_key),
            },
            cancellationToken
        );
        return (issued, Certificates.WithKey(((CertificateSecret)issued.Secret).Certificate, _key));
    }

    private async Task<Held> GetCertificateAsync(CancellationToken cancellationToken)
    {
        narrator.Step("It exchanges that for a client certificate, and uses it");
        narrator.Say("it makes a key and sends a signing request; the key never leaves the agent");
        var (issued, certificate) = await CertifyAsync(null, cancellationToken);
        narrator.Say(
            $"lease {issued.LeaseId}, until {Time(issued.ExpiresAt)}, "
                + $"decided by policy version {issued.Decision.PolicyVersion}"
        );
        narrator.Check(
            Certificates.UriName(certificate) == "spiffe://dev.credbroker.example/agents/triage/triage-1",
            $"the name comes from its identity, not from its request: {Certificates.UriName(certificate)}"
        );
        await ExpectAsync(
            certificate,
            accepted: true,
            "hello",
            "a TLS handshake with the billing service",
            cancellationToken
        );
        return new Held(issued.LeaseId, certificate);
    }

    private async Task GetValueAsync(CancellationToken cancellationToken)
    {
        narrator.Step("It gets an API key that lies in Vault");
        var issued = await _agent.ExchangeAsync(
            new ExchangeRequest
            {
                Task = Task,
                Credential = "billing-api-key",
                Actions = ["read"],
            },
            cancellationToken
        );
        var value = ((KeyValueSecret)issued.Secret).Data.GetProperty("key").GetString()!;
        _secrets.Add(value);
        narrator.Check(
            value.StartsWith("dev-", StringComparison.Ordinal),
            $"key = {new string('*', 12)} ({value.Length} characters, not shown), until {Time(issued.ExpiresAt)}"
        );
        narrator.Say(
            "one call to Vault, recorded before the value left; "
                + "nobody can revoke a static value, and the broker will say so"
        );
    }

    private async Task ReleaseAsync(Held held, CancellationToken cancellationToken)
    {
        narrator.Step("Its work is done: it gives the certificate back");
        var released = await _agent.ReleaseAsync(held.LeaseId, cancellationToken);
        narrator.Check(released.State == LeaseStates.Revoked, "released: Vault confirmed that it is revoked");
        await ExpectAsync(
            held.Certificate,
            accepted: false,
            "refused: revoked",
            "the same certificate in another handshake",
            cancellationToken
        );
    }

    private async Task ExpireAsync(CancellationToken cancellationToken)
    {
        narrator.Step("A secret that is forgotten ends by itself");
        var (issued, certificate) = await CertifyAsync(TimeSpan.FromSeconds(5), cancellationToken);
        using (certificate)
        {
            narrator.Say($"a certificate for 5 seconds: lease {issued.LeaseId}, until {Time(issued.ExpiresAt)}");
            await ExpectAsync(
                certificate,
                accepted: true,
                "hello",
                "a TLS handshake with the billing service",
                cancellationToken
            );
            narrator.Say("the agent forgets about it ...");
            var lease = await WaitAsync(
                () => _agent.GetLeaseAsync(issued.LeaseId, cancellationToken),
                lease => LeaseStates.IsFinal(lease.State),
                cancellationToken
            );
            narrator.Check(
                lease is { State: LeaseStates.Revoked, Revocation.Cause: "expiry" },
                "the lease is revoked, cause expiry, confirmed by Vault "
                    + $"at {Time(lease.Revocation!.ConfirmedAt!.Value)}"
            );
            await ExpectAsync(
                certificate,
                accepted: false,
                "refused: expired",
                "the same certificate in another handshake",
                cancellationToken
            );
        }
    }

    private async Task BeDeniedAsync(CancellationToken cancellationToken)
    {
        narrator.Step("What policy does not allow is denied, with a next step");
        await DeniedAsync(
            "CB2002",
            "triage asks for the payments key",
            _agent,
            Task,
            "payments-api-key",
            "transfer",
            cancellationToken
        );
        await DeniedAsync(
            "CB2004",
            "an agent that policy does not know claims the process",
            broker.Agent("intruder", "intruder-1"),
            Task,
            "billing-api-key",
            "read",
            cancellationToken
        );
        var payment = new TaskDeclaration
        {
            Id = "payment-7",
            Process = "payments",
            Purpose = "pay invoice 42",
        };
        await DeniedAsync(
            "CB2009",
            "a rule lets payer pay, but its process does not tolerate that agents act alone",
            broker.Agent("payer", "payer-1"),
            payment,
            "payments-api-key",
            "transfer",
            cancellationToken
        );
    }

    private async Task ExpectAsync(
        X509Certificate2 certificate,
        bool accepted,
        string words,
        string who,
        CancellationToken cancellationToken
    )
    {
        var (isAccepted, said) = await billing.GreetAsync(certificate, cancellationToken);
        narrator.Check(isAccepted == accepted && said.StartsWith(words, StringComparison.Ordinal), $"{who}: {said}");
    }

    private async Task DeniedAsync(
        string code,
        string what,
        AgentClient who,
        TaskDeclaration task,
        string credential,
        string action,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await who.ExchangeAsync(
                new ExchangeRequest
                {
                    Task = task,
                    Credential = credential,
                    Actions = [action],
                },
                cancellationToken
            );
        }
        catch (BrokerProblemException no)
        {
            narrator.Check(no.Code == code, $"{what}: {no.Status} {no.Code} {no.Problem.Title}");
            narrator.Say($"       {no.Problem.Detail}");
            return;
        }

        throw new StoryFailedException($"{what}: this should be denied.");
    }

    private static async Task<T> WaitAsync<T>(
        Func<ValueTask<T>> read,
        Func<T, bool> done,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (true)
        {
            var value = await read();
            if (done(value))
            {
                return value;
            }

            try
            {
                await System.Threading.Tasks.Task.Delay(
                    TimeSpan.FromMilliseconds(50),
                    TimeProvider.System,
                    limit.Token
                );
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new StoryFailedException("It did not happen within 30 seconds.");
            }
        }
    }

    private static string Time(DateTimeOffset time) =>
        time.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    private sealed record Held(string LeaseId, X509Certificate2 Certificate) : IDisposable
    {
        public void Dispose() => Certificate.Dispose();
    }
}
