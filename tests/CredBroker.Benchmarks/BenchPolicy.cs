using System.Globalization;
using System.Text;
using CredBroker.Benchmarks.Children;
using CredBroker.Core.Policy.Document;
using CredBroker.Testing.Servers;

namespace CredBroker.Benchmarks;

/// <summary>
/// The policy that everything is measured with: a hundred rules, of which the last ones allow what the bench asks for,
/// so that each decision tries them all.
/// </summary>
internal static class BenchPolicy
{
    public const int Rules = 100;
    public const string Database = "reports";
    public const string KeyValue = "api-key";
    public const string Certificate = "certificate";
    public const string Token = "deploy";

    /// <summary>Where a real Vault has the value of <see cref="KeyValue"/>.</summary>
    public const string ValuePath = "secret/data/bench/api-key";

    /// <summary>The only name of the worker's <see cref="Certificate"/>.</summary>
    public const string CertificateName = "worker.agents.example";

    private const int OtherCredentials = 20;
    private const int LastRules = 5;

    public static PolicyDocument Document =>
        Of("host: reports-db, port: 5432, database: reports, sslmode: verify-full", setup: "");

    /// <summary>The same, with the users of <see cref="Database"/> on a PostgreSQL that a real Vault makes them on.</summary>
    public static PolicyDocument On(BenchPostgres postgres, string adminFile) =>
        Of(
            $"host: 127.0.0.1, port: {postgres.Port}, database: {TestPostgres.Database}, sslmode: disable",
            $$$"""
            , setup: { connection: reports, adminCredentialFile: {{{adminFile}}},
                                  grants: ['GRANT {{{BenchPostgres.Readers}}} TO "{{name}}"'] }
            """
        );

    private static PolicyDocument Of(string connection, string setup) =>
        new() { Name = "bench.yaml", Text = Text(connection, setup) };

    private static string Text(string connection, string setup)
    {
        var text = new StringBuilder(
            $$"""
            apiVersion: credbroker/v1
            agents:
              worker:   { member: 'identity.issuer == "{{Agents.Issuer}}" && identity.workload == "worker"' }
              planner:  { member: 'identity.issuer == "{{Agents.Issuer}}" && identity.workload == "planner"' }
              reviewer: { member: 'identity.issuer == "{{Agents.Issuer}}" && identity.workload == "reviewer"' }
            processes:
              monthly-reports:
                owner: { issuer: "https://people.bench.example", subject: "owner-1", contact: finance@bench.example }
                toleratesRuntimeAction: true
                agents: [worker, planner, reviewer]
                acceptsUnrevocable: [api-key, certificate]
            credentials:
              reports:
                vault: { engine: database, mount: database, role: cb-bench-reports{{setup}} }
                access: read
                impact: low
                reversible: true
                actions: [read, summarise]
                maxTtl: 15m
                connection: { {{connection}} }
              api-key:
                vault: { engine: kv, mount: secret, path: bench/api-key }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 15m
              certificate:
                vault: { engine: pki, mount: pki, role: cb-bench-certificate, setup: { allowedDomains: ["*.agents.example"] } }
                names: { dns: "{{"{{identity.workload}}"}}.agents.example" }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 15m
              deploy:
                vault: { engine: token, role: cb-bench-deploy-token,
                         setup: { policy: 'path "{{ValuePath}}" { capabilities = ["read"] }' } }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 15m
              archive:
                vault: { engine: database, mount: database, role: cb-bench-archive }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 4h
                connection: { host: archive-db, port: 5432, database: archive, sslmode: verify-full }

            """
        );
        for (var i = 0; i < OtherCredentials; i++)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $$"""
                  other-{{i}}:
                    vault: { engine: database, mount: database, role: cb-bench-other-{{i}} }
                    access: read
                    category: {{(i % 4 == 0 ? "customer-data" : "statistics")}}
                    impact: {{(i % 4 == 0 ? "medium" : "low")}}
                    reversible: true
                    actions: [read, write]
                    maxTtl: 15m

                """
            );
        }

        text.Append("rules:\n");
        for (var i = 0; i < Rules - LastRules; i++)
        {
            var credential = $"other-{i % OtherCredentials}";
            var (effect, condition) = (i % 5) switch
            {
                0 => (
                    "deny",
                    "agent == \"worker\" && credential.category == \"customer-data\" "
                        + $"&& task.process != \"process-{i}\""
                ),
                1 => (
                    "deny",
                    $"toolCall.name == \"tool-{i}\" && has(toolCall.arguments.amount) "
                        + $"&& toolCall.arguments.amount > {i}"
                ),
                2 => (
                    "allow",
                    $"agent == \"worker\" && request.ttl <= duration(\"1h\") && credential.name == \"{credential}\""
                ),
                3 => (
                    "allow",
                    "agent in [\"planner\", \"reviewer\"] "
                        + $"&& credential.name == \"{credential}\" && \"read\" in request.actions"
                ),
                _ => (
                    "allow",
                    $"credential.name.startsWith(\"other-{i % 10}\") && request.actions.all(action, action == \"read\")"
                ),
            };
            text.Append(
                CultureInfo.InvariantCulture,
                $"  - {{ id: rule-{i}, effect: {effect}, when: '{condition}' }}\n"
            );
        }

        text.Append(
            """
              - { id: worker-reads-reports, effect: allow, maxTtl: 10m,
                  when: 'agent == "worker" && credential.name == "reports" && "read" in request.actions' }
              - { id: worker-reads-archive, effect: allow, maxTtl: 4h,
                  when: 'agent == "worker" && credential.name == "archive"' }
              - { id: worker-reads-api-key, effect: allow, maxTtl: 10m,
                  when: 'agent == "worker" && credential.name == "api-key"' }
              - { id: worker-connects, effect: allow, maxTtl: 10m,
                  when: 'agent == "worker" && credential.name == "certificate"' }
              - { id: worker-deploys, effect: allow, maxTtl: 10m,
                  when: 'agent == "worker" && credential.name == "deploy"' }

            """
        );
        return text.ToString();
    }
}
