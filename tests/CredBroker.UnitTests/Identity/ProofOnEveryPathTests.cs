using CredBroker.Core.Audit.Events;
using CredBroker.Core.Callers;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Tasks;
using CredBroker.Core.Text;
using CredBroker.Server.Hosting;
using CredBroker.Testing.Broker;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Identity;

/// <summary>Every operation of an agent refuses the proofs that are not taken yet, in its own name and on record.</summary>
public sealed class ProofOnEveryPathTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;
    private CallerVerification _callers = null!;
    private string _lease = "";

    public static TheoryData<string> Operations => ["exchange", "find", "renew", "release", "report", "close"];

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync();
        _lease = (await _broker.IssueAsync()).Id;
        var verifier = new WorkloadVerifier(new TokenRouting([]), new TokenVerification(), new(), _broker.Time);
        _callers = new(verifier, _broker.RefusedCalls);
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task A_key_bound_token_is_refused_as_that(string operation) =>
        await RefuseAsync(
            operation,
            new IdentityProof.KeyBoundBearer(
                new SecretText("triage/1"),
                new SecretText("the-possession"),
                new ProvenRequest("POST", new Uri("https://broker.example/v1/credentials"))
            )
        );

    [Theory]
    [MemberData(nameof(Operations))]
    public async Task A_certificate_is_refused_as_that(string operation) =>
        await RefuseAsync(operation, new IdentityProof.Certificate([new byte[] { 0x30, 0x00 }]));

    [Fact]
    public void Agents_are_verified_in_one_place() =>
        Assert.Equal(
            [typeof(CallerVerification)],
            new[] { typeof(CallerVerification).Assembly, typeof(BrokerHost).Assembly }
                .SelectMany(assembly => assembly.GetTypes())
                .Where(type =>
                    type.GetConstructors()
                        .Any(constructor =>
                            constructor
                                .GetParameters()
                                .Any(parameter => parameter.ParameterType.IsAssignableTo(typeof(IWorkloadVerifier)))
                        )
                )
        );

    private async Task RefuseAsync(string operation, IdentityProof proof)
    {
        Assert.Equal("CB1018", (await CallAsync(operation, proof))?.CodeText);
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(_lease)).State);
        var refused = Assert.Single(await _broker.EventsAsync(RequestRefused.TypeName));
        Assert.Equal("CB1018", refused.GetProperty("reason").GetString());
    }

    private async Task<Refusal?> CallAsync(string operation, IdentityProof proof)
    {
        var agents = new AgentLeases(
            _callers,
            _broker.Policy,
            _broker.Issuer,
            _broker.Readiness,
            _broker.Store,
            _broker.Revoker,
            _broker.Options,
            _broker.Time
        );
        var (call, none) = (BrokerHarness.Call, CancellationToken.None);
        return operation switch
        {
            "exchange" => (await ExchangeAsync(proof) as ExchangeOutcome.Refused)?.Refusal,
            "find" => Of(await agents.FindAsync(proof, _lease, call, none)),
            "renew" => Of(await agents.RenewAsync(proof, _lease, null, call, none)),
            "release" => Of(await agents.ReleaseAsync(proof, _lease, call, none)),
            "report" => Of(await agents.ReportAsync(proof, _lease, new("succeeded", "", null), call, none)),
            _ => await new AgentTasks(
                _callers,
                _broker.Policy,
                _broker.Store,
                _broker.Revocations,
                _broker.Time
            ).CloseAsync(proof, "invoice-triage", "t-1", call, none),
        };
    }

    private ValueTask<ExchangeOutcome> ExchangeAsync(IdentityProof proof) =>
        new CredentialExchange(
            _callers,
            _broker.Policy,
            _broker.Issuer,
            _broker.Readiness,
            _broker.Store,
            _broker.Revoker,
            _broker.Approvals,
            _broker.Access,
            new(_broker.Store, _broker.Signal, _broker.Time),
            _broker.Options,
            _broker.Time,
            NullLogger<CredentialExchange>.Instance
        ).ExchangeAsync(BrokerHarness.Command() with { Proof = proof }, CancellationToken.None);

    private static Refusal? Of(LeaseOutcome outcome) => (outcome as LeaseOutcome.Refused)?.Refusal;
}
