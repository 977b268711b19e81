namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>A policy that gives the agent <c>triage</c> one credential of each engine.</summary>
internal static class TestPolicy
{
    public const string Process = "invoice-triage";

    public const string Text = """
        apiVersion: credbroker/v1
        agents:
          triage: { member: 'identity.issuer == "https://workloads.test" && identity.workload == "triage"' }
          stranger: { member: 'identity.issuer == "https://workloads.test" && identity.workload == "stranger"' }
        processes:
          invoice-triage:
            owner: { issuer: "https://people.test", subject: "owner-1", contact: finance-ops@acme.example }
            toleratesRuntimeAction: true
            agents: [triage]
            acceptsUnrevocable: [agent-mtls, shared-key]
          payments:
            owner: { issuer: "https://people.test", subject: "owner-2", contact: treasury@acme.example }
            toleratesRuntimeAction: false
            agents: [stranger]
        credentials:
          billing-readonly:
            vault: { engine: database, mount: database, role: cb-test-billing-readonly }
            access: read
            impact: low
            reversible: true
            actions: [read, summarise]
            maxTtl: 15m
            connection: { host: billing-db, port: 5432, database: billing, sslmode: verify-full }
          agent-mtls:
            vault: { engine: pki, mount: pki, role: cb-test-agent-mtls, mode: sign }
            names: { commonName: "{{identity.workload}}" }
            access: read
            impact: low
            reversible: true
            actions: [connect]
            maxTtl: 10m
          shared-key:
            vault: { engine: kv, mount: secret, path: shared/key }
            access: read
            impact: low
            reversible: true
            actions: [read]
            maxTtl: 5m
          vault-token:
            vault: { engine: token, role: cb-test-vault-token }
            access: read
            impact: low
            reversible: true
            actions: [read]
            maxTtl: 5m
          forbidden:
            vault: { engine: kv, mount: secret, path: forbidden }
            access: read
            impact: low
            reversible: true
            actions: [read]
            maxTtl: 5m
        rules:
          - id: triage-reads
            effect: allow
            when: agent == "triage" && credential.name in ["billing-readonly", "agent-mtls", "shared-key", "vault-token"]
            maxTtl: 10m
          - id: nobody
            effect: deny
            when: credential.name == "forbidden"
        """;
}
