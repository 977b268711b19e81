using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Server.Identity.Keys;
using CredBroker.Server.Identity.Settings;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Identity;

/// <summary>
/// The verifiers as the host builds them, from options, over key files in a directory of their own, on a clock that
/// stands still.
/// </summary>
internal sealed class IdentityFixture : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cb-identity-");
    private readonly Lazy<(WorkloadVerifier Workloads, PeopleVerifier People, KeySources Sources)> _built;

    public IdentityFixture(DateTimeOffset now)
    {
        Time = new FakeTimeProvider(now);
        _built = new(Build);
    }

    public FakeTimeProvider Time { get; }

    /// <summary>What the store's clock says; nothing where it knows no more than an old time.</summary>
    public DateTimeOffset? StoreTime { get; set; }

    /// <summary>For how long tokens are remembered.</summary>
    public TokenMemory Memory { get; } = new();

    public IdentityOptions Options { get; } = new() { Audience = "credbroker" };

    public KeySources Sources => _built.Value.Sources;

    public IdentityFixture With(TrustDomainOptions trustDomain)
    {
        Options.TrustDomains.Add(trustDomain);
        return this;
    }

    public IdentityFixture With(IssuerOptions issuer)
    {
        Options.Issuers.Add(issuer);
        return this;
    }

    /// <summary>A file that issuers or trust domains take their keys from.</summary>
    public string Write(string name, string content)
    {
        var path = Path.Combine(_directory.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    public ValueTask<VerificationOutcome> VerifyAsync(string token) =>
        VerifyAsync(new IdentityProof.Bearer(new SecretText(token)));

    public ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof) =>
        _built.Value.Workloads.VerifyAsync(proof, TestContext.Current.CancellationToken);

    public async Task<WorkloadIdentity> AcceptAsync(string token)
    {
        var outcome = await VerifyAsync(token);
        return outcome is VerificationOutcome.Verified verified
            ? verified.Identity
            : throw new Xunit.Sdk.XunitException($"refused: {((VerificationOutcome.Refused)outcome).Refusal}");
    }

    public async Task<Refusal> RefuseAsync(string token) =>
        Assert.IsType<VerificationOutcome.Refused>(await VerifyAsync(token)).Refusal;

    public async Task RefuseAsync(RefusalCode code, string token)
    {
        var refusal = await RefuseAsync(token);
        Assert.True(code == refusal.Code, $"{code} expected: {refusal}");
        Assert.DoesNotContain(token, refusal.Detail, StringComparison.Ordinal);
    }

    public ValueTask<PersonOutcome> VerifyPersonAsync(string token, PersonClock by = PersonClock.Brokers) =>
        _built.Value.People.VerifyAsync(new SecretText(token), "", by, TestContext.Current.CancellationToken);

    public async Task<Person> AcceptPersonAsync(string token, PersonClock by = PersonClock.Brokers)
    {
        var outcome = await VerifyPersonAsync(token, by);
        return outcome is PersonOutcome.Verified verified
            ? verified.Person
            : throw new Xunit.Sdk.XunitException($"refused: {((PersonOutcome.Refused)outcome).Refusal}");
    }

    public async Task RefusePersonAsync(RefusalCode code, string token) =>
        Assert.Equal(code, Assert.IsType<PersonOutcome.Refused>(await VerifyPersonAsync(token)).Refusal.Code);

    public void Dispose() => _directory.Delete(recursive: true);

    private (WorkloadVerifier, PeopleVerifier, KeySources) Build()
    {
        var settings = IdentitySettings.Read(Options, devMode: false);
        Assert.Empty(settings.Faults);
        var sources = new KeySources(
            settings,
            Options.KeyRefresh,
            devMode: false,
            Time,
            NullLogger<KeySource>.Instance
        );
        var routing = new TokenRouting(sources.Issuers);
        var verification = new TokenVerification();
        return (
            new WorkloadVerifier(routing, verification, Memory, Time),
            new PeopleVerifier(routing, verification, Memory, Time, () => StoreTime),
            sources
        );
    }
}
