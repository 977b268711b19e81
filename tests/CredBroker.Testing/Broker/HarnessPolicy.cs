namespace CredBroker.Testing.Broker;

/// <summary>A small policy: triage may read billing (a database user) and a KV value.</summary>
internal static class HarnessPolicy
{
    private const string Other = """
          other:
            vault: { engine: database, mount: database, role: cb-test-other }
            connection: { host: other.example, port: 5432, database: other, sslmode: require }
            access: read
            impact: low
            reversible: true
            actions: [read]
            maxTtl: 15m
        """;

    /// <summary>The same with <c>other</c>, a user of another database.</summary>
    public static string WithOtherDatabase() =>
        Text().Replace("rules:\n", Other + "\nrules:\n", StringComparison.Ordinal);

    public static string Text(string rule = "agent == \"triage\"", string maxTtl = "10m", string comment = "") =>
        $$"""
            # {{comment}}
            apiVersion: credbroker/v1
            agents:
              triage: { member: 'identity.issuer == "https://idp.example" && identity.workload == "triage"' }
              helper: { member: 'identity.issuer == "https://idp.example" && identity.workload == "helper"' }
            processes:
              invoice-triage:
                owner: { issuer: "https://people.example", subject: "owner-1", contact: finance@example.com }
                toleratesRuntimeAction: true
                agents: [triage, helper]
                acceptsUnrevocable: [api-key]
            credentials:
              billing:
                vault: { engine: database, mount: database, role: cb-test-billing }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 15m
              api-key:
                vault: { engine: kv, mount: secret, path: api/key }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 5m
            rules:
              - id: triage-reads
                effect: allow
                when: {{rule}}
                maxTtl: {{maxTtl}}
            """;
}
