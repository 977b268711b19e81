using CredBroker.Server.Identity.Settings;

namespace CredBroker.UnitTests.Identity;

public sealed class LoginSettingsTests
{
    [Fact]
    public void A_client_alone_asks_for_openid_and_the_issuers_audience()
    {
        var settings = Read(_ => { });
        Assert.Empty(settings.Faults);
        var login = Assert.Single(settings.Logins);
        Assert.Equal(
            ("https://idp.example", "cli", "credbroker-admin", null),
            (login.Issuer, login.ClientId, login.Audience, login.Resource)
        );
        Assert.Equal(["openid"], login.Scopes);
    }

    [Fact]
    public void Without_a_client_nobody_logs_in()
    {
        var settings = Read(people => people.Login = new());
        Assert.Empty(settings.Faults);
        Assert.Empty(settings.Logins);
    }

    [Theory]
    [InlineData("scope without client")]
    [InlineData("client with control character")]
    [InlineData("two scopes in one")]
    [InlineData("resource with fragment")]
    [InlineData("issuer in clear")]
    [InlineData("issuer that is no address")]
    [InlineData("workloads")]
    public void What_nobody_could_log_in_by_is_a_fault(string fault)
    {
        var settings = Read(people =>
        {
            switch (fault)
            {
                case "scope without client":
                    people.Login = new() { Scopes = ["openid"] };
                    break;
                case "client with control character":
                    people.Login.ClientId = "a\nb";
                    break;
                case "two scopes in one":
                    people.Login.Scopes = ["openid email"];
                    break;
                case "resource with fragment":
                    people.Login.Resource = "https://broker.example#x";
                    break;
                case "issuer in clear":
                    (people.Issuer, people.Jwks.File) = ("http://idp.example", "keys.json");
                    break;
                case "issuer that is no address":
                    (people.Issuer, people.Jwks.File) = ("people", "keys.json");
                    break;
                default:
                    (people.Use, people.Roles, people.RolesClaim) = (
                        "workloads",
                        new Dictionary<string, IList<string>>(),
                        ""
                    );
                    break;
            }
        });
        Assert.Contains(settings.Faults, text => text.Contains(":Login", StringComparison.Ordinal));
    }

    private static IdentitySettings Read(Action<IssuerOptions> change)
    {
        var people = new IssuerOptions
        {
            Issuer = "https://idp.example",
            Use = "people",
            Audience = "credbroker-admin",
            RolesClaim = "roles",
            Roles = new Dictionary<string, IList<string>> { ["admin"] = ["admins"] },
            Login = new() { ClientId = "cli" },
        };
        change(people);
        return IdentitySettings.Read(
            new() { Audience = "credbroker", Issuers = [new() { Issuer = "https://workloads.example" }, people] },
            devMode: false
        );
    }
}
