using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;

namespace CredBroker.UnitTests.Policy;

/// <summary>What loads, as what, and under which hash.</summary>
public sealed class PolicyLoadTests
{
    [Theory]
    [InlineData("constrain", false)]
    [InlineData("revoke", true)]
    public void A_process_says_what_becomes_of_its_leases_when_its_owner_goes(string word, bool revokes)
    {
        var policy = Samples.Policy(("acceptsUnrevocable: [agent-mtls]", $"onOwnerGone: {word}"));
        Assert.Equal(revokes, policy.Processes["invoice-triage"].RevokesWhenOwnerGoes);
        Assert.False(policy.Processes["payments"].RevokesWhenOwnerGoes);
    }

    [Fact]
    public void The_sample_loads_with_everything_in_it()
    {
        var policy = Samples.Policy();

        Assert.Equal(["invoice-triage", "payments"], policy.Processes.Keys.Order());
        Assert.Equal(
            new ProcessOwner("https://idp.acme.example", "4afe0119-0000", "finance-ops@acme.example"),
            policy.Processes["invoice-triage"].Owner
        );
        Assert.Equal(["agent-mtls"], policy.Processes["invoice-triage"].AcceptsUnrevocable);
        var database = policy.Credentials["billing-readonly"];
        Assert.Equal(new VaultBinding.Database("database", "cb-prod-billing-readonly"), database.Vault);
        Assert.Equal(new DatabaseConnection("billing-db", 5432, "billing", "verify-full"), database.Connection);
        Assert.Equal("/etc/credbroker/billing-admin", database.Setup!.AdminCredentialFile);
        Assert.Equal(["GRANT SELECT ON ALL TABLES IN SCHEMA billing TO \"{{name}}\""], database.Setup.Grants);
        Assert.Equal(
            new VaultBinding.Pki("pki", "cb-prod-agent-mtls", PkiMode.Sign),
            policy.Credentials["agent-mtls"].Vault
        );
        Assert.Equal(new CertificateNames("{{identity.spiffeId}}", null, null), policy.Credentials["agent-mtls"].Names);
        Assert.Equal(
            new VaultBinding.KeyValue("secret", "payments/api-key"),
            policy.Credentials["payments-api-key"].Vault
        );
        Assert.Equal(
            (AccessKind.External, ImpactLevel.High, false, "money-movement", TimeSpan.FromMinutes(2)),
            (
                policy.Credentials["payments-api-key"].Access,
                policy.Credentials["payments-api-key"].Impact,
                policy.Credentials["payments-api-key"].Reversible,
                policy.Credentials["payments-api-key"].Category,
                policy.Credentials["payments-api-key"].MaxTtl
            )
        );
    }

    [Fact]
    public void Every_engine_loads()
    {
        var policy = Samples.Policy(
            (
                "credentials:                       # the catalogue: what can be issued at all\n",
                """
                credentials:
                  token: { vault: { engine: token, role: cb-prod-token, setup: { policy: 'path "secret/data/x" { capabilities = ["read"] }' } },
                    address: "https://vault:8200", access: read, impact: low, reversible: true, actions: [read], maxTtl: 1h }
                  aws: { vault: { engine: dynamic, path: aws/creds/deploy, method: POST, setup: { policy: p } },
                    access: privileged, impact: medium, reversible: true, actions: [deploy], maxTtl: 30m }
                  cert: { vault: { engine: pki, mount: pki/int, role: r, mode: issue,
                    setup: { allowedUris: ["spiffe://acme.example/*"], allowedDomains: [acme.example] } },
                    names: { dns: "{{identity.workload}}.acme.example", commonName: "{{identity.workload}}" },
                    access: read, impact: low, reversible: true, actions: [a], maxTtl: 1h }

                """
            )
        );

        Assert.Equal(new VaultBinding.Token("cb-prod-token"), policy.Credentials["token"].Vault);
        Assert.Equal("https://vault:8200", policy.Credentials["token"].Address);
        Assert.Equal(new VaultBinding.Dynamic("aws/creds/deploy", "POST"), policy.Credentials["aws"].Vault);
        Assert.Equal(new VaultBinding.Pki("pki/int", "r", PkiMode.Issue), policy.Credentials["cert"].Vault);
        Assert.Equal(["acme.example"], policy.Credentials["cert"].Setup!.AllowedDomains);
    }

    [Theory]
    [InlineData("identity.issuer == \"https://x\" && identity.subject == \"a\"")]
    [InlineData(
        "(\"acme.example\" == identity.trustDomain) && (identity.workload == \"a\" || identity.instance == \"b\")"
    )]
    [InlineData("agent == \"payer\" && identity.claims.azp == \"payer\"")]
    [InlineData("identity.issuer == \"https://x\"")]
    public void A_condition_with_its_source_fixed_loads(string condition) =>
        Assert.Empty(
            PolicyCompiler
                .Compile(Samples.Document(Samples.Edited(("credential.category == \"secret-handling\"", condition))))
                .Faults
        );

    /// <summary>
    /// The editors' schema stays within the subset that the broker's own checker knows, so the checker can judge it.
    /// </summary>
    [Fact]
    public void The_sample_fits_the_schema_for_editors()
    {
        var faults = new List<string>();
        var schema = ArgumentSchema.Load(PolicyManual.ReadSchema(), faults);
        Assert.Empty(faults);

        Assert.Null(schema!.Check(ToJson(Samples.Text)));
        Assert.Equal("arguments takes no limit", schema.Check(ToJson(Samples.Text + "limit: []\n")));
        Assert.Null(schema.Check(ToJson(Samples.Text + LimitLoadTests.FanOut)));
        Assert.NotNull(schema.Check(ToJson(Samples.Text + "limits: [{ id: a, per: fleet }]\n")));
        foreach (var onBreach in (string[])["challenge", "{ challenge: { approvers: [owner], expiresAfter: 30m } }"])
        {
            var limit = $"limits: [{{ id: a, per: task, maxActive: 1, onBreach: {onBreach} }}]\n";
            Assert.Null(schema.Check(ToJson(Samples.Text + limit)));
        }
    }

    private static JsonElement ToJson(string text) =>
        Samples.Json(ToNode(YamlTree.Read(text, new PolicyFaultList())!)!.ToJsonString());

    private static JsonNode? ToNode(YamlNode node) =>
        node switch
        {
            YamlMapping mapping => new JsonObject(
                mapping.Entries.Select(entry => KeyValuePair.Create(entry.Key.Text, ToNode(entry.Value)))
            ),
            YamlSequence sequence => new JsonArray([.. sequence.Items.Select(ToNode)]),
            YamlScalar { IsPlain: true, Text: "true" or "false" } flag => JsonValue.Create(flag.Text == "true"),
            YamlScalar { IsPlain: true } scalar
                when int.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) =>
                JsonValue.Create(number),
            YamlScalar scalar => JsonValue.Create(scalar.Text),
            _ => null,
        };

    [Fact]
    public void The_hash_is_of_the_text_and_of_the_schemas()
    {
        var one = Samples.Policy();

        Assert.Matches("^[0-9a-f]{64}$", one.Hash);
        Assert.Equal(one.Hash, Samples.Policy().Hash);
        Assert.NotEqual(one.Hash, Samples.Policy(("# the catalogue", "# The catalogue")).Hash);
        var other = PolicyCompiler.Compile(
            Samples.Document() with
            {
                Schemas = new Dictionary<string, string> { ["transfer.schema.json"] = Samples.Schema + " " },
            }
        );
        Assert.NotEqual(one.Hash, other.Set!.Hash);
    }

    [Fact]
    public void The_name_of_the_file_is_no_part_of_the_hash() =>
        Assert.Equal(
            Samples.Policy().Hash,
            PolicyCompiler.Compile(Samples.Document() with { Name = "other.yaml" }).Set!.Hash
        );
}
