using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;

namespace CredBroker.UnitTests.Policy;

/// <summary>The sample policy, and identities and requests that go with it.</summary>
internal static class Samples
{
    public static readonly string Text = File("sample.policy.yaml");

    public static readonly string Schema = File("transfer.schema.json");

    public static readonly WorkloadIdentity Triage = new()
    {
        Proof = ProofMethod.JwtSvid,
        Issuer = "spiffe://acme.example",
        Subject = "spiffe://acme.example/agents/triage/7",
        SpiffeId = "spiffe://acme.example/agents/triage/7",
        TrustDomain = "acme.example",
        Workload = "triage",
        Instance = "7",
        ProofExpiresAt = DateTimeOffset.UnixEpoch,
        ProofHash = "",
    };

    public static readonly WorkloadIdentity Payer = new()
    {
        Proof = ProofMethod.Oidc,
        Issuer = "https://idp.acme.example",
        Subject = "payer-service",
        Workload = "payer",
        Instance = "pod-1",
        Claims = Claims("""{"azp":"payer"}"""),
        ProofExpiresAt = DateTimeOffset.UnixEpoch,
        ProofHash = "",
    };

    public static readonly AgentTask TriageTask = new("task-1", "invoice-triage", "sort invoices");

    public static readonly AgentTask PaymentTask = new("task-2", "payments", "pay an invoice");

    public static readonly CredentialRequest ReadBilling = new()
    {
        Credential = "billing-readonly",
        Actions = ["read"],
    };

    public static readonly CredentialRequest Transfer = new()
    {
        Credential = "payments-api-key",
        Actions = ["transfer"],
        ToolCall = new("transfer", Json("""{"amount":100,"iban":"DE02120300000000202051"}""")),
    };

    public static PolicyDocument Document(string? text = null) =>
        new()
        {
            Name = "sample.policy.yaml",
            Text = text ?? Text,
            Schemas = new Dictionary<string, string> { ["transfer.schema.json"] = Schema },
        };

    /// <summary>The sample, with pieces of its text replaced.</summary>
    public static PolicySet Policy(params (string Old, string New)[] edits)
    {
        var compilation = PolicyCompiler.Compile(Document(Edited(edits)));
        Assert.Empty(compilation.Faults);
        return compilation.Set!;
    }

    public static string Edited(params (string Old, string New)[] edits)
    {
        var text = Text;
        foreach (var (old, replacement) in edits)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            text = text.Replace(old, replacement, StringComparison.Ordinal);
        }

        return text;
    }

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public static Dictionary<string, JsonElement> Claims(string json) =>
        Json(json).EnumerateObject().ToDictionary(member => member.Name, member => member.Value);

    public static string File(string name) =>
        System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Policy", "Fixtures", name));
}
