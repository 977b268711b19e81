using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>The settings that Kubernetes and GitHub Actions need, tried on tokens of their shape.</summary>
public sealed class KnownIssuerTests : IDisposable
{
    private readonly IdentityFixture _fixture = new(TestToken.Now);

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task A_Kubernetes_token_is_bound_to_its_pod()
    {
        _fixture.With(
            new IssuerOptions
            {
                Issuer = TestToken.Issuer,
                Jwks = Jwks(),
                WorkloadClaim = "sub",
                InstanceClaim = "/kubernetes.io/pod/uid",
                Claims = ["kubernetes.io"],
            }
        );
        var token = TestToken.Raw(
            TestKey.Rsa,
            $$"""
            {"aud":["credbroker"],"iss":"{{TestToken.Issuer}}","sub":"system:serviceaccount:agents:triage",
             "iat":{{TestToken.Seconds(0)}},"nbf":{{TestToken.Seconds(0)}},"exp":{{TestToken.Seconds(600)}},
             "kubernetes.io":{"namespace":"agents","pod":{"name":"triage-0","uid":"9f2a"},
             "serviceaccount":{"name":"triage","uid":"11aa"} } }
            """
        );
        var identity = await _fixture.AcceptAsync(token);
        Assert.Equal(("system:serviceaccount:agents:triage", "9f2a"), (identity.Workload, identity.Instance));
        Assert.Equal("agents", identity.Claims["kubernetes.io"].GetProperty("namespace").GetString());

        // A token that is bound to no pod (a long-lived secret's, or one that a person asked the API for) has no
        // instance.
        await _fixture.RefuseAsync(
            RefusalCode.ClaimMissing,
            TestToken.Oidc(TestKey.Rsa, p => p["sub"] = "system:serviceaccount:agents:triage")
        );
        await _fixture.RefuseAsync(
            RefusalCode.AudienceNotAccepted,
            TestToken.Oidc(TestKey.Rsa, p => p["aud"] = Array.Empty<string>())
        );
    }

    [Theory]
    [InlineData("repo:acme/deploy:ref:refs/heads/main")]
    [InlineData("repo:acme@1234/deploy@5678:ref:refs/heads/main")]
    public async Task A_GitHub_Actions_token_goes_by_numeric_ids_and_the_workflow_whatever_the_form_of_its_subject(
        string subject
    )
    {
        _fixture.With(
            new IssuerOptions
            {
                Issuer = TestToken.Issuer,
                Jwks = Jwks(),
                WorkloadClaim = "job_workflow_ref",
                InstanceClaim = "run_id",
                Claims = ["repository_id", "repository_owner_id", "job_workflow_ref", "ref"],
                RequiredClaims =
                [
                    new() { Claim = "repository_owner_id", Values = ["1234"] },
                    new() { Claim = "repository_id", Values = ["5678"] },
                    new() { Claim = "job_workflow_ref", Prefix = "acme/deploy/.github/workflows/" },
                ],
            }
        );
        var identity = await _fixture.AcceptAsync(Token("1234", "5678", "acme/deploy"));
        Assert.Equal("acme/deploy/.github/workflows/run.yml@refs/heads/main", identity.Workload);
        Assert.Equal("77", identity.Instance);
        Assert.Equal(subject, identity.Subject);

        // The same names under other ids: the organisation was deleted and its name taken by somebody else.
        await _fixture.RefuseAsync(RefusalCode.ClaimMissing, Token("9999", "5678", "acme/deploy"));
        await _fixture.RefuseAsync(RefusalCode.ClaimMissing, Token("1234", "9999", "acme/deploy"));
        await _fixture.RefuseAsync(RefusalCode.ClaimMissing, Token("1234", "5678", "evil/deploy"));

        string Token(string owner, string repository, string workflow) =>
            TestToken.Oidc(
                TestKey.Rsa,
                p =>
                {
                    p["sub"] = subject;
                    p["repository"] = "acme/deploy";
                    p["repository_owner_id"] = owner;
                    p["repository_id"] = repository;
                    p["job_workflow_ref"] = $"{workflow}/.github/workflows/run.yml@refs/heads/main";
                    p["run_id"] = "77";
                }
            );
    }

    private JwksOptions Jwks() => new() { File = _fixture.Write("jwks.json", TestKey.Jwks(TestKey.Rsa.Jwk())) };
}
