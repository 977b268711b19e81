using CredBroker.Client;

namespace CredBroker.UnitTests.Client;

public sealed class TokenSourceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("credbroker-token-").FullName;
    private readonly Dictionary<string, string> _environment = [];

    private string TokenFile => Path.Combine(_folder, "token");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_file_is_read_again_each_time_because_it_is_replaced()
    {
        var source = TokenSource.File(TokenFile);
        await File.WriteAllTextAsync(TokenFile, "first.of.all\n");
        Assert.Equal("first.of.all", await source.ReadAsync(default));

        await File.WriteAllTextAsync(TokenFile, "second.of.all");

        Assert.Equal("second.of.all", await source.ReadAsync(default));
        Assert.Equal($"the file {TokenFile}", source.Description);
        Assert.Empty(source.Variables);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \n")]
    [InlineData("hunter2 hunter3")]
    [InlineData("hunter2\nhunter3")]
    [InlineData("hunter2\u0000")]
    public async Task What_is_no_token_is_refused_and_not_quoted(string text)
    {
        await File.WriteAllTextAsync(TokenFile, text);

        var fault = await ReadFaultAsync(TokenSource.File(TokenFile));

        Assert.Contains(TokenFile, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter", fault.ToString() + fault.NextStep, StringComparison.Ordinal);
        Assert.False(fault.IsTransient);
    }

    [Theory]
    [InlineData(64 * 1024, true)]
    [InlineData((64 * 1024) + 1, false)]
    public async Task A_token_has_at_most_64_KiB(int length, bool isTaken)
    {
        await File.WriteAllTextAsync(TokenFile, new string('a', length));
        var source = TokenSource.File(TokenFile);

        if (isTaken)
        {
            Assert.Equal(length, (await source.ReadAsync(default)).Length);
        }
        else
        {
            Assert.Contains("more than 64 KiB", (await ReadFaultAsync(source)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_file_that_is_not_there_says_which() =>
        Assert.Contains(
            TokenFile,
            (await ReadFaultAsync(TokenSource.File(TokenFile))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public async Task A_variable_is_read_again_and_must_not_be_inherited()
    {
        var source = TokenSource.Environment("MY_TOKEN", Variable);
        _environment["MY_TOKEN"] = "a.b.c";
        Assert.Equal("a.b.c", await source.ReadAsync(default));

        _environment["MY_TOKEN"] = "hunter2\n";

        Assert.DoesNotContain("hunter2", (await ReadFaultAsync(source)).ToString(), StringComparison.Ordinal);
        Assert.Equal(["MY_TOKEN"], source.Variables);
    }

    [Fact]
    public async Task Where_we_run_says_whose_token_it_is_in_a_fixed_order()
    {
        await File.WriteAllTextAsync(TokenFile, "from.a.file");
        _environment["ACTIONS_ID_TOKEN_REQUEST_URL"] = "https://github.example/token";
        Assert.NotEqual("GitHub's OIDC request", Detected());

        _environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "t";
        Assert.Equal("GitHub's OIDC request", Detected());
        Assert.Equal(
            ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
            TokenSource.Detect("a", Variable).Variables
        );

        _environment["CREDBROKER_ID_TOKEN"] = "from.a.variable";
        Assert.Equal("the variable CREDBROKER_ID_TOKEN", Detected());

        _environment["CREDBROKER_TOKEN_FILE"] = TokenFile;
        Assert.Equal($"the file {TokenFile}", Detected());

        string Detected()
        {
            try
            {
                return TokenSource.Detect("a", Variable).Description;
            }
            catch (TokenSourceException nothing)
            {
                return nothing.Message;
            }
        }
    }

    [Fact]
    public void Where_there_is_none_every_way_to_have_one_is_told()
    {
        Assert.SkipWhen(File.Exists(TokenSource.KubernetesPath), "This machine has a projected token.");

        var fault = Assert.Throws<TokenSourceException>(() => TokenSource.Detect("a", Variable));

        Assert.All(
            ["CREDBROKER_TOKEN_FILE", "CREDBROKER_ID_TOKEN", "id-token: write", TokenSource.KubernetesPath],
            way => Assert.Contains(way, fault.NextStep, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("http://github.example/token")]
    [InlineData("ftp://127.0.0.1/token")]
    [InlineData("token")]
    public async Task GitHubs_own_token_is_never_sent_in_clear(string address)
    {
        _environment["ACTIONS_ID_TOKEN_REQUEST_URL"] = address;
        _environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "t";

        var fault = await ReadFaultAsync(TokenSource.GitHubActions("a", Variable));

        Assert.Contains("no https address", fault.Message, StringComparison.Ordinal);
    }

    private string? Variable(string name) => _environment.GetValueOrDefault(name);

    private static Task<TokenSourceException> ReadFaultAsync(ITokenSource source) =>
        Assert.ThrowsAsync<TokenSourceException>(() => source.ReadAsync(default).AsTask());
}
