using CredBroker.Core.Policy;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>The credentials that the tests issue, as installation <c>test</c>.</summary>
internal static class Catalogue
{
    public const string Installation = "test";

    public static CatalogueEntry KeyValue { get; } =
        Entry("api-key", new VaultBinding.KeyValue("secret", "payments/api-key"));

    public static CatalogueEntry Sign { get; } =
        Entry("agent-mtls", new VaultBinding.Pki("pki", "cb-test-agent-mtls", PkiMode.Sign)) with
        {
            Names = new("{{identity.spiffeId}}", null, null),
            Setup = new() { AllowedUris = ["spiffe://acme.example/*"] },
        };

    public static CatalogueEntry Issue { get; } =
        Entry("agent-tls", new VaultBinding.Pki("pki", "cb-test-agent-tls", PkiMode.Issue)) with
        {
            Names = new(null, "{{identity.workload}}.agents.example", "{{identity.workload}}.agents.example"),
            Setup = new() { AllowedDomains = ["*.agents.example"] },
        };

    public static CatalogueEntry Token { get; } =
        Entry("deploy", new VaultBinding.Token("cb-test-deploy-token")) with
        {
            Setup = new() { Policy = """path "secret/data/payments/api-key" { capabilities = ["read"] }""" },
        };

    public static CatalogueEntry Entry(string name, VaultBinding vault) =>
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
