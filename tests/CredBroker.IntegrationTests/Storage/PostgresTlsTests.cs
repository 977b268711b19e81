using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.PostgreSql;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>
/// A PostgreSQL that is reached by TLS. Who is on another machine has to prove by its certificate that it is the host
/// that the file names, unless told otherwise.
/// </summary>
public sealed class PostgresTlsTests(SharedPostgres plain) : IClassFixture<SharedPostgres>, IAsyncLifetime
{
    /// <summary>Leads to this machine, as the broker does not know: it takes the plain spelling alone for that.</summary>
    private const string Elsewhere = "LOCALHOST";

    private readonly TemporaryFolder _folder = new();
    private readonly TlsAuthority _authority = new("the store's CA");
    private readonly TlsAuthority _stranger = new("another CA");
    private TestPostgres _postgres = null!;
    private PostgresSchema _schema = null!;

    public async ValueTask InitializeAsync()
    {
        TestPostgres.SkipUnlessAvailable();
        _postgres = await TestPostgres.StartAsync(
            tls: _authority.Issue(names =>
            {
                names.AddDnsName("localhost");
            })
        );
        _schema = await PostgresSchema.MakeAsync(_postgres);
    }

    public async ValueTask DisposeAsync()
    {
        _schema?.Dispose();
        _folder.Dispose();
        _authority.Dispose();
        _stranger.Dispose();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_server_that_proves_to_be_the_one_that_is_named_is_used_by_TLS_alone()
    {
        _schema.LeadTo(_postgres.Port, host: Elsewhere, more: RootOf(_authority));
        using var store = Open();
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(StoreSamples.Recorded(), default));
        Assert.Null(await store.Leases.FindAsync("0190", default));
        var sessions = $"pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE usename = '{_schema.Name}'";
        Assert.InRange(await _postgres.CountAsync(sessions), 2, 10);
        Assert.Equal(0, await _postgres.CountAsync($"{sessions} AND NOT ssl"));
    }

    [Fact]
    public void A_certificate_of_another_CA_is_refused()
    {
        _schema.LeadTo(_postgres.Port, host: Elsewhere, more: RootOf(_stranger));
        AssertRefused("certificate");
    }

    [Fact]
    public void A_certificate_of_a_CA_that_nobody_named_is_refused()
    {
        _schema.LeadTo(_postgres.Port, host: Elsewhere);
        AssertRefused("certificate");
    }

    [Fact]
    public void A_certificate_for_another_host_is_refused()
    {
        _schema.LeadTo(_postgres.Port, more: $"{RootOf(_authority)};SSL Mode=VerifyFull");
        AssertRefused("certificate");
    }

    [Fact]
    public async Task A_server_without_TLS_is_refused()
    {
        var server = await plain.GetAsync();
        _schema.LeadTo(server.Port, host: Elsewhere, more: RootOf(_authority));
        AssertRefused("SSL");
    }

    private string RootOf(TlsAuthority authority)
    {
        var file = Path.Combine(_folder.Path, $"{Guid.NewGuid():N}.pem");
        File.WriteAllText(file, authority.CertificatePem);
        return $"Root Certificate={file}";
    }

    private void AssertRefused(string why)
    {
        var failure = Assert.Throws<StoreUnavailableException>(() => Open().Dispose());
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("password-of-the-store", failure.ToString(), StringComparison.Ordinal);
    }

    private PostgresBrokerStore Open() =>
        PostgresBrokerStore.Open(_schema.Options, TimeProvider.System, NullLogger<PostgresBrokerStore>.Instance);
}
