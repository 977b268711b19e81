using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.PostgreSql;
using Npgsql;

namespace CredBroker.UnitTests.Storage;

/// <summary>How the file that leads to PostgreSQL is read, and what of it is refused.</summary>
public sealed class ConnectionStringFileTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("Host=db.example.com;Username=u;Password=p")]
    [InlineData("Host=db.example.com;Username=u;Password=p;SSL Mode=Prefer")]
    [InlineData("Host=localhost.example.com;Username=u;Password=p")]
    [InlineData("Host=10.0.0.1;Username=u;Password=p;SSL Mode=VerifyFull")]
    public void A_server_elsewhere_has_to_prove_who_it_is(string line) =>
        Assert.Equal(SslMode.VerifyFull, Read(line).SslMode);

    [Theory]
    [InlineData("Host=127.0.0.1;Username=u;Password=p")]
    [InlineData("Host=127.0.0.1:5433;Username=u;Password=p")]
    [InlineData("Host=::1;Username=u;Password=p")]
    [InlineData("Host=localhost;Username=u;Password=p")]
    [InlineData("Host=/var/run/postgresql;Username=u")]
    public void A_server_on_this_machine_does_not(string line) => Assert.Equal(SslMode.Prefer, Read(line).SslMode);

    [Theory]
    [InlineData("Disable")]
    [InlineData("Allow")]
    [InlineData("Require")]
    [InlineData("VerifyCA")]
    public void Less_is_refused_unless_a_setting_allows_it(string mode)
    {
        var line = $"Host=db.example.com;Username=u;Password=secret-word;SSL Mode={mode}";
        var failure = Assert.Throws<StoreUnavailableException>(() => Read(line));
        Assert.Contains("Storage:AllowUnverifiedServer", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-word", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(Enum.Parse<SslMode>(mode), Read(line, allowUnverified: true).SslMode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret-word")]
    [InlineData("secret-word=1;Host=x")]
    [InlineData("Host=x;Username=u;Port=secret-word")]
    [InlineData("Host=x;Username=u;SSL Mode=secret-word")]
    [InlineData("Host=x;Password=secret-word")]
    [InlineData("Username=u;Password=secret-word")]
    [InlineData("Host=127.0.0.1,db.example.com;Username=u;Password=secret-word")]
    [InlineData("postgres://u:secret-word@db/x")]
    public void What_is_of_no_use_is_said_and_not_quoted(string line)
    {
        var failure = Assert.Throws<StoreUnavailableException>(() => Read(line));
        Assert.Contains("Storage:ConnectionStringFile", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-word", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void No_message_of_the_server_carries_rows() =>
        Assert.False(Read("Host=/x;Username=u;Include Error Detail=true;Log Parameters=true").IncludeErrorDetail);

    [Fact]
    public void A_file_that_is_missing_or_too_long_is_said()
    {
        File.WriteAllText(_file, new string('x', 20_000));
        Assert.Throws<StoreUnavailableException>(() => ConnectionStringFile.Read(Options()));
        File.Delete(_file);
        Assert.Throws<StoreUnavailableException>(() => ConnectionStringFile.Read(Options()));
    }

    [Fact]
    public void Only_the_provider_that_is_chosen_needs_its_settings()
    {
        Assert.Empty(
            new StorageOptions
            {
                Provider = StorageProvider.Postgres,
                ConnectionStringFile = "x",
                SqliteFile = "",
            }.Validate()
        );
        Assert.StartsWith(
            "Storage:ConnectionStringFile is missing",
            Assert.Single(new StorageOptions { Provider = StorageProvider.Postgres }.Validate()),
            StringComparison.Ordinal
        );
        Assert.Single(new StorageOptions { ConnectionStringFile = "x", SqliteFile = "" }.Validate());
    }

    private StorageOptions Options(bool allowUnverified = false) =>
        new()
        {
            Provider = StorageProvider.Postgres,
            ConnectionStringFile = _file,
            AllowUnverifiedServer = allowUnverified,
        };

    private NpgsqlConnectionStringBuilder Read(string line, bool allowUnverified = false)
    {
        File.WriteAllText(_file, line + "\n");
        return ConnectionStringFile.Read(Options(allowUnverified));
    }
}
