using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;

namespace CredBroker.UnitTests.Vault;

/// <content>Roles of which Vault alone tells.</content>
public sealed partial class VaultSecretIssuerTests
{
    private static IReadOnlyList<CatalogueEntry> Known =>
        [
            Database,
            Entry("nested", new VaultBinding.Database("team/db", "cb-test-nested")),
            Entry("tok", new VaultBinding.Token("cb-test-tok-token")),
        ];

    [Fact]
    public async Task Roles_of_this_installation_are_found_wherever_Vault_tells_of_them_and_no_others()
    {
        Folders(
            ("", ["auth/", "sys/", "database/", "team/", "pki/", "gcp/", "cb-test-mount/", "leaf"]),
            ("auth/token/create", ["h1", "cb-test-db/", "cb-test-probe/", "cb-test-gone/", "cb-tester-db/", "other/"]),
            ("database", ["creds/"]),
            (
                "database/creds",
                [
                    "cb-test-db/",
                    "cb-test-gone/",
                    "cb-test-gone-reap/",
                    "cb-test-",
                    "cb-test-/",
                    "cb-tester-db/",
                    "cb-te/",
                    "cb-other-db/",
                    "billing/",
                ]
            ),
            ("team", ["db/", "kv/"]),
            ("team/db", ["creds/"]),
            ("team/db/creds", ["cb-test-nested/", "cb-other-nested/", "cb-test-left/"]),
            ("team/kv", []),
            ("pki", ["sign/", "issue/"]),
            ("pki/sign", ["cb-test-web/", "web/"]),
            ("pki/issue", []),
            ("gcp", ["roleset/"]),
            ("gcp/roleset", ["cb-test-deploy/"]),
            ("gcp/roleset/cb-test-deploy", ["one"]),
            ("cb-test-mount", ["creds/"]),
            ("cb-test-mount/creds", ["cb-test-x/", "y/"])
        );

        var listed = Assert.IsType<RoleListing.Listed>(await Issuer.FindRolesAsync(Known, default));

        Assert.Equal(
            [
                "cb-test-mount/creds/cb-test-x",
                "database/creds/cb-test-gone",
                "gcp/roleset/cb-test-deploy",
                "pki/sign/cb-test-web",
                "team/db/creds/cb-test-left",
            ],
            listed
                .Unnamed.Select(entry => Assert.IsType<VaultBinding.Dynamic>(entry.Vault).Path)
                .Order(StringComparer.Ordinal)
        );
        Assert.Equal(["cb-test-gone"], listed.TokenRoles);
        Assert.Empty(listed.Forbidden);

        _answers["sys/leases/lookup/pki/sign/cb-test-web/"] = Json("""{"data":{"keys":["one"]}}""");
        var web = listed.Unnamed.Single(entry => entry.Name == "web");
        Assert.Equal(
            ["pki/sign/cb-test-web/one"],
            Assert.IsType<LeaseListing.Listed>(await Issuer.ListLeasesAsync(web, default)).VaultLeaseIds
        );
    }

    [Fact]
    public async Task Where_the_login_may_not_look_is_said_and_what_it_may_list_below_is_listed()
    {
        // As an earlier version of setup left it.
        Folders(("database/creds", ["cb-test-db/", "cb-test-gone/"]), ("team/db/creds", []));
        foreach (var folder in new[] { "", "auth/token/create/" })
        {
            _answers[$"sys/leases/lookup/{folder}"] = Refusal(403, "permission denied");
        }

        var listed = Assert.IsType<RoleListing.Listed>(await Issuer.FindRolesAsync(Known, default));
        Assert.Equal(["gone"], listed.Unnamed.Select(entry => entry.Name));
        Assert.Equal(["mounts that no policy names", "auth/token/create/"], listed.Forbidden);

        Folders(("", ["database/", "team/", "archive/"]), ("auth/token/create", []), ("database", ["creds/"]));
        foreach (var folder in new[] { "team/", "archive/", "database/creds/" })
        {
            _answers[$"sys/leases/lookup/{folder}"] = Refusal(403, "permission denied");
        }

        listed = Assert.IsType<RoleListing.Listed>(await Issuer.FindRolesAsync(Known, default));
        Assert.Empty(listed.Unnamed);
        Assert.Equal(["team/", "archive/", "database/creds/"], listed.Forbidden);
    }

    [Theory]
    [InlineData(503)]
    [InlineData(404)]
    public async Task A_folder_that_is_not_listed_now_is_not_taken_for_empty(int status)
    {
        Folders(("", ["database/"]), ("auth/token/create", []));
        _answers["sys/leases/lookup/database/"] = Refusal(status, "no handler");

        Assert.IsType<RoleListing.Failed>(await Issuer.FindRolesAsync(Known, default));
    }

    [Fact]
    public async Task A_role_whose_name_is_none_that_the_broker_can_ask_for_is_said_as_not_searched()
    {
        var longName = "cb-test-" + new string('a', 80);
        Folders(
            ("", ["database/"]),
            ("auth/token/create", []),
            ("database", ["creds/"]),
            ("database/creds", ["cb-test-UPPER/", $"{longName}/"])
        );

        var listed = Assert.IsType<RoleListing.Listed>(await Issuer.FindRolesAsync(Known, default));

        Assert.Empty(listed.Unnamed);
        Assert.Equal(["database/creds/cb-test-UPPER", $"database/creds/{longName}"], listed.Forbidden);
    }

    [Fact]
    public async Task What_is_named_like_a_role_and_holds_mounts_or_keys_is_taken_for_none()
    {
        CatalogueEntry[] known = [Entry("deep", new VaultBinding.Database("team/cb-test-db", "cb-test-deep"))];
        Folders(
            ("", ["team/", "gcp/"]),
            ("auth/token/create", []),
            ("team", ["cb-test-db/"]),
            ("team/cb-test-db", ["creds/"]),
            ("team/cb-test-db/creds", ["cb-test-deep/", "cb-test-gone/"]),
            ("gcp", ["roleset/"]),
            ("gcp/roleset", ["cb-test-deploy/"]),
            ("gcp/roleset/cb-test-deploy", ["key/"]),
            ("gcp/roleset/cb-test-deploy/key", ["one"])
        );

        var listed = Assert.IsType<RoleListing.Listed>(await Issuer.FindRolesAsync(known, default));

        Assert.Equal(["gone"], listed.Unnamed.Select(entry => entry.Name));
        Assert.Empty(listed.Forbidden);
    }

    [Fact]
    public async Task Another_s_many_folders_keep_no_role_of_a_known_mount_from_being_found()
    {
        var many = Enumerable.Range(0, 600).Select(i => $"f{i}").ToList();
        Folders(
            ("", ["aaa/", "database/"]),
            ("auth/token/create", []),
            ("aaa", [.. many.Select(name => name + "/")]),
            ("database", ["creds/"]),
            ("database/creds", ["cb-test-gone/"]),
            ("team/db/creds", [])
        );
        many.ForEach(name => Folders(($"aaa/{name}", [])));

        var listed = Assert.IsType<RoleListing.Listed>(await Issuer.FindRolesAsync(Known, default));

        Assert.Equal(["gone"], listed.Unnamed.Select(entry => entry.Name));
        Assert.EndsWith("too many folders", Assert.Single(listed.Forbidden), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a?b")]
    [InlineData("a b")]
    [InlineData("%2e%2e")]
    public async Task A_folder_whose_name_is_no_plain_path_is_said_and_not_asked_for(string name)
    {
        Folders(("", [$"{name}/", "database/"]), ("auth/token/create", []), ("database", []));

        var listed = Assert.IsType<RoleListing.Listed>(await Issuer.FindRolesAsync(Known, default));

        Assert.Empty(listed.Unnamed);
        Assert.Equal([$"{name}/"], listed.Forbidden);
    }

    private void Folders(params ReadOnlySpan<(string Folder, string[] Names)> folders)
    {
        foreach (var (folder, names) in folders)
        {
            _answers[$"sys/leases/lookup/{(folder.Length == 0 ? "" : folder + "/")}"] =
                names.Length == 0
                    ? Refusal(404, "")
                    : Json($$$"""{"data":{"keys":["{{{string.Join("\",\"", names)}}}"]}}""");
        }
    }
}
