using CredBroker.Testing.Servers;

namespace CredBroker.FaultHarness.Servers;

/// <summary>
/// Who may have what here: two credentials of one database, a Vault token and a KV value, for the instances of one
/// workload.
/// </summary>
internal static class ArenaPolicy
{
    public const string Process = "invoice-triage";
    public const string Token = "deploy";
    public const string KeyValue = "api-key";
    public static readonly IReadOnlyList<string> Databases = ["billing-reader", "billing-clerk"];

    /// <param name="installation">The broker's name in Vault.</param>
    /// <param name="adminFile">Holds the database administrator's credential.</param>
    /// <param name="databasePort">Where OpenBao finds the database.</param>
    /// <param name="without">An instance that gets nothing; null for none.</param>
    public static string Text(string installation, string adminFile, int databasePort, string? without)
    {
        var allowed = "agent == \"triage\"" + (without is null ? "" : $" && identity.instance != \"{without}\"");
        return $$$"""
            apiVersion: credbroker/v1
            agents:
              triage: { member: 'identity.issuer == "https://workloads.test" && identity.workload == "triage"' }
            processes:
              {{{Process}}}:
                owner: { issuer: "https://people.test", subject: "owner-1", contact: finance@example.com }
                toleratesRuntimeAction: true
                agents: [triage]
                acceptsUnrevocable: [{{{KeyValue}}}]
            credentials:
            {{{string.Join('\n', Databases.Select(Database))}}}
              {{{Token}}}:
                vault:
                  engine: token
                  role: cb-{{{installation}}}-{{{Token}}}-token
                  setup: { policy: 'path "secret/data/api/key" { capabilities = ["read"] }' }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 40s
              {{{KeyValue}}}:
                vault: { engine: kv, mount: secret, path: api/key }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 2m
            rules:
              - { id: triage-reads, effect: allow, maxTtl: 2m, when: '{{{allowed}}}' }

            """;

        string Database(string name) =>
            $$$"""
                  {{{name}}}:
                    vault:
                      engine: database
                      mount: database
                      role: cb-{{{installation}}}-{{{name}}}
                      setup:
                        connection: billing
                        adminCredentialFile: {{{adminFile}}}
                        grants:
                          - GRANT USAGE ON SCHEMA billing TO "{{name}}"
                          - GRANT SELECT ON ALL TABLES IN SCHEMA billing TO "{{name}}"
                    access: read
                    impact: low
                    reversible: true
                    actions: [read]
                    maxTtl: 2m
                    connection: { host: 127.0.0.1, port: {{{databasePort}}}, database: {{{TestPostgres.Database}}}, sslmode: disable }
                """;
    }
}
