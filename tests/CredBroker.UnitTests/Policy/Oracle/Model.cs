using System.Globalization;
using System.Text;
using CredBroker.Core.Policy;

namespace CredBroker.UnitTests.Policy.Oracle;

internal sealed record ModelAgent(string Name, Condition Member);

internal sealed record ModelProcess(
    string Name,
    bool Tolerates,
    bool HasOwner,
    IReadOnlyList<string> Agents,
    IReadOnlyList<string> AcceptsUnrevocable
);

internal sealed record ModelCredential(
    string Name,
    string Engine,
    AccessKind Access,
    ImpactLevel Impact,
    bool Reversible,
    string Category,
    IReadOnlyList<string> Actions,
    TimeSpan MaxTtl,
    bool HasToolSchema
)
{
    /// <summary>How far revocation reaches, by engine.</summary>
    public string Revocation =>
        Engine switch
        {
            "kv" => "none",
            "pki" => "crl",
            _ => "backend",
        };
}

internal sealed record ModelRule(
    string Id,
    PolicyEffect Effect,
    Condition When,
    TimeSpan? MaxTtl,
    ModelApproval? Approval
);

/// <summary>What a challenge asks; approvers as the document writes them, a person as <c>issuer|subject</c>.</summary>
internal sealed record ModelApproval(
    IReadOnlyList<string> Approvers,
    int Quorum,
    int Minutes,
    string Executor,
    bool NotOwner
);

/// <summary>A policy as the oracle sees it, and the document that the product reads.</summary>
internal sealed record Model(
    IReadOnlyList<ModelAgent> Agents,
    IReadOnlyList<ModelProcess> Processes,
    IReadOnlyList<ModelCredential> Credentials,
    IReadOnlyList<ModelRule> Rules
)
{
    public const string OwnerIssuer = "https://people.example";

    /// <summary>The document, as the product reads it.</summary>
    public string Yaml()
    {
        var text = new StringBuilder("apiVersion: credbroker/v1\nagents:\n");
        foreach (var agent in Agents)
        {
            Line(text, $"  {agent.Name}: {{ member: {Quoted(agent.Member)} }}");
        }

        text.Append("processes:\n");
        foreach (var process in Processes)
        {
            Line(text, $"  {process.Name}:");
            Line(text, $"    toleratesRuntimeAction: {Word(process.Tolerates)}");
            Line(text, $"    agents: [{string.Join(", ", process.Agents)}]");
            Line(text, $"    acceptsUnrevocable: [{string.Join(", ", process.AcceptsUnrevocable)}]");
            if (process.HasOwner)
            {
                Line(
                    text,
                    $"    owner: {{ issuer: \"{OwnerIssuer}\", subject: {process.Name}-owner, contact: c@x.example }}"
                );
            }
        }

        text.Append("credentials:\n");
        foreach (var credential in Credentials)
        {
            Line(text, $"  {credential.Name}:");
            Line(text, $"    vault: {Binding(credential)}");
            Line(text, $"    access: {Word(credential.Access)}");
            Line(text, $"    impact: {Word(credential.Impact)}");
            Line(text, $"    reversible: {Word(credential.Reversible)}");
            Line(text, $"    actions: [{string.Join(", ", credential.Actions)}]");
            Line(text, $"    maxTtl: {Seconds(credential.MaxTtl)}");
            if (credential.Category.Length > 0)
            {
                Line(text, $"    category: {credential.Category}");
            }

            if (credential.HasToolSchema)
            {
                Line(text, "    toolSchemas: { transfer: transfer.schema.json }");
            }
        }

        text.Append(Rules.Count == 0 ? "rules: []\n" : "rules:\n");
        foreach (var rule in Rules)
        {
            Line(text, $"  - id: {rule.Id}");
            Line(text, $"    effect: {Word(rule.Effect)}");
            Line(text, $"    when: {Quoted(rule.When)}");
            if (rule.MaxTtl is { } maxTtl)
            {
                Line(text, $"    maxTtl: {Seconds(maxTtl)}");
            }

            if (rule.Approval is { } approval)
            {
                Line(text, "    approval:");
                Line(text, $"      approvers: [{string.Join(", ", approval.Approvers.Select(Approver))}]");
                Line(text, string.Create(CultureInfo.InvariantCulture, $"      quorum: {approval.Quorum}"));
                Line(text, string.Create(CultureInfo.InvariantCulture, $"      expiresAfter: {approval.Minutes}m"));
                Line(text, $"      notOwner: {Word(approval.NotOwner)}");
                if (approval.Executor.Length > 0)
                {
                    Line(text, $"      executor: {approval.Executor}");
                }
            }
        }

        return text.ToString();
    }

    private static string Binding(ModelCredential credential) =>
        credential.Engine switch
        {
            "database" => $"{{ engine: database, mount: database, role: {credential.Name} }}",
            "kv" => $"{{ engine: kv, mount: secret, path: {credential.Name} }}",
            "token" => $"{{ engine: token, role: {credential.Name} }}",
            "pki" =>
                $"{{ engine: pki, mount: pki, role: {credential.Name} }}\n    names: {{ uri: \"{{{{identity.spiffeId}}}}\" }}",
            _ => throw new ArgumentOutOfRangeException(nameof(credential)),
        };

    private static string Approver(string approver) =>
        approver.Split('|') is [var issuer, var subject]
            ? $"{{ issuer: \"{issuer}\", subject: \"{subject}\" }}"
            : $"\"{approver}\"";

    private static string Quoted(Condition condition) =>
        $"'{condition.Text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Word<T>(T value) => value!.ToString()!.ToLowerInvariant();

    private static string Seconds(TimeSpan span) =>
        string.Create(CultureInfo.InvariantCulture, $"{(long)span.TotalSeconds}s");

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
