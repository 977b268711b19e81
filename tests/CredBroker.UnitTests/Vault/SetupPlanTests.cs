using System.Text.Json;
using CredBroker.Core.Policy;
using CredBroker.Vault.Setup;

namespace CredBroker.UnitTests.Vault;

public sealed class SetupPlanTests
{
    [Fact]
    public void A_database_credential_needs_these_and_no_more()
    {
        var plan = SetupPlan.For("prod", [Database("billing-readonly")]);

        Assert.Empty(plan.Faults);
        Assert.Equal(
            [
                "sys/config/auditing/request-headers/X-CredBroker-Lease",
                "sys/mounts/cb-prod-anchor",
                "sys/policies/acl/cb-prod-probe",
                "auth/token/roles/cb-prod-probe",
                "sys/policies/acl/cb-prod-broker",
                "auth/token/roles/cb-prod-broker",
                "sys/mounts/database",
                "database/config/cb-prod-billing",
                "database/roles/cb-prod-billing-readonly",
                "database/roles/cb-prod-billing-readonly-reap",
                "sys/policies/acl/cb-prod-billing-readonly-reap",
                "auth/token/roles/cb-prod-billing-readonly-reap",
                "sys/policies/acl/cb-prod-billing-readonly",
                "auth/token/roles/cb-prod-billing-readonly",
            ],
            plan.Steps.Select(step => step.Path)
        );
    }

    [Fact]
    public void The_child_may_make_its_one_secret_and_the_broker_only_the_child()
    {
        var plan = SetupPlan.For("prod", [Database("billing-readonly")]);

        Assert.Equal(
            "path \"database/creds/cb-prod-billing-readonly\" {\n  capabilities = [\"read\"]\n}\n",
            Body(plan, "cb-prod-billing-readonly")
        );
        Assert.Equal(
            "path \"database/creds/cb-prod-billing-readonly-reap\" {\n  capabilities = [\"read\"]\n}\n",
            Body(plan, "cb-prod-billing-readonly-reap")
        );
        var broker = Body(plan, "cb-prod-broker");
        Assert.Contains("path \"auth/token/create/cb-prod-billing-readonly-reap\"", broker);
        Assert.DoesNotContain("path \"database/creds", broker);
        Assert.Contains("path \"auth/token/create/cb-prod-billing-readonly\"", broker);
        Assert.Contains(
            "path \"cb-prod-anchor/data/store\" {\n  capabilities = [\"create\", \"read\", \"update\"]\n}\n",
            broker
        );
        Assert.Contains("\"lease_id\" = [\"database/creds/cb-prod-*\", \"auth/token/create/cb-prod-probe/*\"]", broker);
    }

    [Fact]
    public void A_parameter_is_one_segment_and_no_more_in_the_brokers_policy()
    {
        var entry = Entry("tenant-key", new VaultBinding.KeyValue("secret", "tenants/{tenant}/api-key")) with
        {
            Params = [new("tenant", "[a-z]+")],
        };
        var plan = SetupPlan.For("prod", [entry]);

        Assert.Empty(plan.Faults);
        Assert.Contains(
            "path \"secret/data/tenants/+/api-key\" {\n  capabilities = [\"read\"]\n}\n",
            Body(plan, "cb-prod-broker")
        );
        Assert.Contains(
            "no plain Vault path",
            Assert.Single(SetupPlan.For("prod", [entry with { Params = null }]).Faults),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_two_credentials_share_is_made_once()
    {
        var plan = SetupPlan.For("prod", [Database("billing-a"), Database("billing-b")]);

        Assert.Single(plan.Steps, step => step.Kind == SetupKind.DatabaseConnection);
        Assert.Single(plan.Steps, step => step is { Kind: SetupKind.Mount, Name: "database" });
        Assert.Equal(4, plan.Steps.Count(step => step.Kind == SetupKind.DatabaseRole));
    }

    [Fact]
    public void Where_one_may_create_and_another_uses_all_tables_setup_says_so()
    {
        var reader = Database("reader", "GRANT SELECT ON ALL TABLES IN SCHEMA shared, billing TO \"{{name}}\"");
        var writer = Database("writer", "GRANT USAGE, CREATE ON SCHEMA Shared TO \"{{name}}\"");
        var apart = Database("apart", "GRANT ALL ON SCHEMA other TO \"{{name}}\"");

        var plan = SetupPlan.For("prod", [reader, writer, apart]);

        var warning = Assert.Single(plan.Notes, note => note.Contains("may CREATE", StringComparison.Ordinal));
        Assert.Contains("writer may CREATE in the schema shared, in which reader", warning, StringComparison.Ordinal);

        static CatalogueEntry Database(string name, string grant)
        {
            var entry = SetupPlanTests.Database(name);
            return entry with { Setup = entry.Setup! with { Grants = [grant] } };
        }
    }

    [Fact]
    public void A_grant_on_all_of_something_is_made_one_by_one_and_any_other_as_it_is_written()
    {
        var plan = SetupPlan.For(
            "prod",
            [
                Granted(
                    "grant select, update on all tables in schema Billing to \"{{name}}\";",
                    "GRANT SELECT ON ALL TABLES IN SCHEMA a, \"B c\" TO \"{{name}}\" WITH GRANT OPTION",
                    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA a TO \"{{name}}\"; GRANT crew TO \"{{name}}\";",
                    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA a TO \"{{name}}\", somebody"
                ),
            ]
        );

        var statements = Creation(plan)[3..^3];

        Assert.Contains("nspname IN ('billing')", statements[0], StringComparison.Ordinal);
        Assert.Contains("GRANT select, update ON %s TO %I'", statements[0], StringComparison.Ordinal);
        Assert.Contains("nspname IN ('a', 'B c')", statements[1], StringComparison.Ordinal);
        Assert.Contains("TO %I WITH GRANT OPTION'", statements[1], StringComparison.Ordinal);
        Assert.Contains("relkind = 'S'", statements[2], StringComparison.Ordinal);
        Assert.Equal("GRANT crew TO \"{{name}}\"", statements[3]);
        Assert.Equal("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA a TO \"{{name}}\", somebody", statements[4]);
        var note = Assert.Single(plan.Notes, note => note.Contains("as it is written", StringComparison.Ordinal));
        Assert.Contains("somebody", note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GRANT SELECT ON x TO \"{{name}}\" /* ; */")]
    [InlineData("DO $$ BEGIN GRANT SELECT ON x TO \"{{name}}\"; END $$;")]
    [InlineData("COMMENT ON ROLE \"{{name}}\" IS 'a; b'")]
    public void What_is_not_plainly_a_list_of_statements_is_left_to_Vault(string grant)
    {
        Assert.Equal(grant, Assert.Single(Creation(SetupPlan.For("prod", [Granted(grant)]))[3..^3]));
    }

    [Theory]
    [InlineData("calls", "POST /v1/sys/config/auditing")]
    [InlineData("sh", "(VAULT_NAMESPACE='' BAO_NAMESPACE=''")]
    [InlineData("terraform", "resource \"vault_audit_request_header\" \"X_CredBroker_Lease\"")]
    public void A_printed_plan_says_of_the_one_step_that_belongs_to_the_root_namespace_that_it_does(
        string format,
        string step
    )
    {
        var plan = SetupPlan.For("prod", [Database("reader")]);
        var text = format switch
        {
            "sh" => SetupRenderer.Shell(plan),
            "terraform" => SetupRenderer.Terraform(plan),
            _ => SetupRenderer.ApiCalls(plan),
        };

        var said = text.IndexOf("# Of the whole Vault: it is made in the root namespace", StringComparison.Ordinal);

        Assert.InRange(said, 0, text.IndexOf(step, StringComparison.Ordinal));
        Assert.All(
            text[said..text.IndexOf(step, StringComparison.Ordinal)].TrimEnd().Split('\n'),
            line => Assert.StartsWith("#", line, StringComparison.Ordinal)
        );
    }

    private static CatalogueEntry Granted(params string[] grants)
    {
        var entry = Database("reader");
        return entry with { Setup = entry.Setup! with { Grants = grants } };
    }

    private static List<string> Creation(SetupPlan plan) =>
        [
            .. plan.Steps.Single(step => step.Path == "database/roles/cb-prod-reader").Body["creation_statements"]!
                .AsArray()
                .Select(statement => (string)statement!),
        ];

    public static TheoryData<string, CatalogueEntry[]> Faulty =>
        new()
        {
            {
                "different contents",
                [
                    Database("a", role: "cb-prod-shared"),
                    Database("b", role: "cb-prod-shared") with
                    {
                        MaxTtl = TimeSpan.FromMinutes(1),
                    },
                ]
            },
            { "setup needs", [Database("a") with { Setup = null }] },
            { "setup needs", [Database("a") with { Connection = null }] },
            { "allowedUris", [Pki("a") with { Setup = new() }] },
            { "policy", [Entry("a", new VaultBinding.Token("cb-prod-a-token"))] },
            {
                "must differ",
                [Entry("a", new VaultBinding.Token("cb-prod-a")) with { Setup = new() { Policy = "x" } }]
            },
            {
                "must differ",
                [Entry("a", new VaultBinding.Token("cb-prod-broker")) with { Setup = new() { Policy = "x" } }]
            },
            { "uses for itself", [Database("broker")] },
            { "uses for itself", [Database("probe")] },
            { "kept for the roles", [Database("a-reap", role: "cb-prod-a")] },
            { "kept for the roles", [Database("a", role: "cb-prod-b-reap")] },
            { "lower-case", [Database("Billing")] },
            { "no plain Vault path", [Entry("a", new VaultBinding.KeyValue("secret", "../sys"))] },
            { "no plain Vault path", [Entry("a", new VaultBinding.KeyValue("secret", "a*"))] },
            { "GET or POST", [Entry("a", new VaultBinding.Dynamic("aws/creds/x", "DELETE"))] },
        };

    [Theory]
    [MemberData(nameof(Faulty))]
    public void A_catalogue_that_cannot_be_set_up_says_why_and_has_no_steps(string expected, CatalogueEntry[] catalogue)
    {
        var plan = SetupPlan.For("prod", catalogue);

        Assert.Contains(plan.Faults, fault => fault.Contains(expected, StringComparison.Ordinal));
        Assert.Empty(plan.Steps);
    }

    [Fact]
    public void A_role_that_is_not_ours_is_left_alone_and_said()
    {
        var plan = SetupPlan.For("prod", [Database("billing", role: "readonly")]);

        Assert.DoesNotContain(plan.Steps, step => step.Kind is SetupKind.DatabaseRole or SetupKind.DatabaseConnection);
        Assert.Contains(plan.Notes, note => note.Contains("readonly", StringComparison.Ordinal));
    }

    [Fact]
    public void A_policy_counts_as_ours_until_somebody_edits_it()
    {
        var text = SetupPlan
            .For("prod", [])
            .Steps.First(step => step.Kind == SetupKind.Policy && step.Name == "cb-prod-broker")
            .PolicyText;

        Assert.True(BrokerPolicy.IsUntouched(text));
        Assert.False(BrokerPolicy.IsUntouched(text + "path \"sys/*\" { capabilities = [\"sudo\"] }\n"));
        Assert.False(BrokerPolicy.IsUntouched(text.Replace("read", "list", StringComparison.Ordinal)));
        Assert.False(BrokerPolicy.IsUntouched("# mine"));
        Assert.False(BrokerPolicy.IsUntouched(""));
    }

    [Fact]
    public void Terraform_reads_every_text_as_it_is_meant()
    {
        var entry = Database("billing");
        entry = entry with { Setup = entry.Setup! with { Grants = ["GRANT x TO \"{{name}}\" -- ${evil} %{evil}"] } };

        var text = SetupRenderer.Terraform(SetupPlan.For("prod", [entry]));

        Assert.Contains("$${evil} %%{evil}", text);
        Assert.Contains("sensitive   = true", text);
        Assert.DoesNotContain("\"password\":", text);
    }

    [Theory]
    [InlineData(
        "postgresql://{{username}}:{{password}}@db:5432/other?sslmode=disable",
        false,
        "{{username}}:{{password}}@db:5432/other"
    )]
    [InlineData("postgresql://{{username}}:{{password}}@elsewhere:5432/billing", true, "{{password}}@elsewhere")]
    [InlineData("postgresql://root:hunter2@elsewhere/billing", true, "postgresql://[hidden]@elsewhere")]
    [InlineData("postgresql://root:hun@ter2@db:5432/billing", false, "postgresql://[hidden]@db")]
    public void A_connection_to_another_server_is_told_from_one_that_changed_and_no_login_in_it_is_shown(
        string url,
        bool isOther,
        string shown
    )
    {
        var step = SetupPlan
            .For("prod", [Database("billing")])
            .Steps.Single(step => step.Kind == SetupKind.DatabaseConnection);
        var found = step.Body.DeepClone().AsObject();
        found["connection_url"] = url;

        var finding = SetupComparison.Compare(step, JsonSerializer.SerializeToElement(found));

        Assert.Equal((SetupState.Outdated, isOther), (finding.State, finding.IsOfAnotherServer));
        var line = Assert.Single(finding.Details);
        Assert.Contains(shown, line, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", line, StringComparison.Ordinal);
        Assert.DoesNotContain("ter2", line, StringComparison.Ordinal);
        Assert.EndsWith("@db:5432/billing?sslmode=verify-full\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_PKI_role_takes_no_name_from_the_request()
    {
        var role = SetupPlan.For("prod", [Pki("mtls")]).Steps.Single(step => step.Kind == SetupKind.PkiRole).Body;

        Assert.False((bool)role["use_csr_common_name"]!);
        Assert.False((bool)role["use_csr_sans"]!);
        Assert.True((bool)role["generate_lease"]!);
        Assert.False((bool)role["allow_any_name"]!);
    }

    private static string Body(SetupPlan plan, string policy)
    {
        var text = plan.Steps.Single(step => step.Kind == SetupKind.Policy && step.Name == policy).PolicyText;
        return text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..];
    }

    private static CatalogueEntry Database(string name, string? role = null) =>
        Entry(name, new VaultBinding.Database("database", role ?? $"cb-prod-{name}")) with
        {
            Connection = new("db", 5432, "billing", "verify-full"),
            Setup = new()
            {
                Connection = "billing",
                AdminCredentialFile = "/etc/credbroker/billing-admin",
                Grants = ["GRANT SELECT ON x TO \"{{name}}\""],
            },
        };

    private static CatalogueEntry Pki(string name) =>
        Entry(name, new VaultBinding.Pki("pki", $"cb-prod-{name}", PkiMode.Sign)) with
        {
            Names = new("{{identity.spiffeId}}", null, null),
            Setup = new() { AllowedUris = ["spiffe://acme.example/*"] },
        };

    private static CatalogueEntry Entry(string name, VaultBinding vault) =>
        new()
        {
            Name = name,
            Vault = vault,
            Access = AccessKind.Read,
            Impact = ImpactLevel.Low,
            Reversible = true,
            Actions = ["read"],
            MaxTtl = TimeSpan.FromMinutes(10),
        };
}
