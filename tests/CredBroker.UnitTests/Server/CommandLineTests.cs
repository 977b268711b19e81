using CredBroker.Server.Hosting;

namespace CredBroker.UnitTests.Server;

public sealed class CommandLineTests
{
    [Fact]
    public void Known_options_are_read()
    {
        var (line, fault) = CommandLine.Parse(["--dev", "--settings", "broker.json", "--check"]);
        Assert.Null(fault);
        Assert.Equal(
            new CommandLine
            {
                Dev = true,
                Check = true,
                SettingsFile = "broker.json",
            },
            line
        );
    }

    [Theory]
    [InlineData("--settings")]
    [InlineData("--Vault:TokenFile=x")]
    [InlineData("dev")]
    public void Anything_else_is_refused(string argument) => Assert.NotNull(CommandLine.Parse([argument]).Fault);
}
