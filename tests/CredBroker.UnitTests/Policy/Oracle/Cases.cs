using System.Globalization;
using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Testing;

namespace CredBroker.UnitTests.Policy.Oracle;

/// <summary>
/// Random policies, and random requests that come close enough to them to reach each branch. The names are few, so that
/// they meet.
/// </summary>
internal sealed class Cases(int seed)
{
    public const string Iban = "DE02120300000000202051";

    private static readonly string[] Agents = ["a1", "a2", "a3"];
    private static readonly string[] Processes = ["p1", "p2"];
    private static readonly string[] Credentials = ["c1", "c2", "c3"];
    private static readonly string[] Issuers = ["https://one.example", "https://two.example"];
    private static readonly string[] Workloads = ["w1", "w2"];
    private static readonly string[] Actions = ["read", "write", "list"];
    private static readonly string[] Categories = ["", "money-movement", "secret-handling"];
    private static readonly string[] Engines = ["database", "kv", "token", "pki"];
    private static readonly string[] Resources = ["", "billing", "billing/march", "hr"];

    // One is an owner, one asks itself.
    private static readonly string[] Approvers =
    [
        "owner",
        "group:g:1",
        "role:approver",
        $"{Model.OwnerIssuer}|p1-owner",
        "https://one.example|s",
    ];

    private static readonly int[] Ttls = [1, 60, 299, 300, 301, 600, 900, 3600];

    private static readonly string[] Tools =
    [
        $$"""{"amount":100,"iban":"{{Iban}}"}""",
        $$"""{"amount":5,"iban":"{{Iban}}"}""",
        $$"""{"amount":0,"iban":"{{Iban}}"}""",
        $$"""{"amount":"100","iban":"{{Iban}}"}""",
        $$"""{"iban":"{{Iban}}"}""",
        "{}",
    ];

    private readonly Dice _dice = new((ulong)seed);

    public Model Policy()
    {
        var agents = Agents.Select((name, place) => new ModelAgent(name, Member(place))).ToList();
        var credentials = Credentials.Select(Credential).ToList();
        return new(
            agents,
            [
                .. Processes.Select(name => new ModelProcess(
                    name,
                    Chance(70),
                    Chance(80),
                    Some(Agents),
                    [.. Credentials.Where(_ => Chance(30))]
                )),
            ],
            credentials,
            [.. Enumerable.Range(0, _dice.Below(9)).Select(number => Rule($"r{number}", Effect()))]
        );
    }

    /// <summary>One of so many.</summary>
    public int Below(int count) => _dice.Below(count);

    public ModelRule Rule(string id, PolicyEffect effect) =>
        new(
            id,
            effect,
            When(),
            effect != PolicyEffect.Deny && Chance(50) ? TimeSpan.FromSeconds(Of(Ttls)) : null,
            effect == PolicyEffect.Challenge ? Approval() : null
        );

    public WorkloadIdentity Identity()
    {
        var isSvid = Chance(30);
        return new()
        {
            Proof = isSvid ? ProofMethod.JwtSvid : ProofMethod.Oidc,
            Issuer = isSvid ? "spiffe://acme.example" : Of(Issuers),
            Subject = "s",
            Workload = Of(Workloads),
            Instance = Chance(80) ? "i" : "",
            SpiffeId = isSvid ? "spiffe://acme.example/s" : "",
            TrustDomain = isSvid ? "acme.example" : "",
            Claims = Claims(),
            ProofExpiresAt = DateTimeOffset.UnixEpoch,
            ProofHash = "",
        };
    }

    public AgentTask Task() => new(Chance(90) ? "t" : "", Chance(97) ? Of(Processes) : "p9", Chance(50) ? "sort" : "");

    public CredentialRequest Request() =>
        new()
        {
            Credential = Chance(97) ? Of(Credentials) : "c9",
            Actions = Chance(97) ? Actions[..(1 + Below(Chance(80) ? 1 : 3))] : [],
            Resource = Of(Resources),
            Ttl = Chance(50) ? TimeSpan.FromSeconds(Chance(97) ? Of(Ttls) : 0) : null,
            ToolCall = Chance(70) ? new(Chance(90) ? "transfer" : "refund", Json(Of(Tools))) : null,
        };

    private PolicyEffect Effect() =>
        Of([PolicyEffect.Allow, PolicyEffect.Allow, PolicyEffect.Challenge, PolicyEffect.Deny]);

    private ModelApproval Approval()
    {
        var approvers = Some(Approvers);
        var people = approvers.Count(approver => approver == "owner" || approver.Contains('|'));
        return new(
            approvers,
            1 + Below(people == approvers.Length ? people : 3),
            Of([1, 30, 1440]),
            Chance(80) ? Of(Agents) : "",
            !approvers.Contains("owner") && Chance(30)
        );
    }

    private Dictionary<string, JsonElement> Claims()
    {
        var claims = new Dictionary<string, JsonElement>();
        if (Chance(70))
        {
            claims["azp"] = Json(Chance(85) ? $"\"{Of(Workloads)}\"" : "7");
        }

        return claims;
    }

    private ModelCredential Credential(string name)
    {
        var engine = Of(Engines);
        return new(
            name,
            engine,
            Of(Enum.GetValues<AccessKind>()),
            Of(Enum.GetValues<ImpactLevel>()),
            Chance(60),
            Of(Categories),
            Chance(75) ? Actions : Some(Actions),
            TimeSpan.FromSeconds(Of(Ttls.Where(ttl => ttl >= 60).ToArray())),
            Chance(25)
        );
    }

    // Whose workload or claim it is has to be said, by a top-level conjunct. Mostly each agent has a source of its own.
    private Condition Member(int place)
    {
        var source =
            (Chance(75) ? place : Below(3)) is var at && at < Issuers.Length ? Issuer(Issuers[at]) : TrustDomain();
        return Chance(50) ? source : new Condition.And(source, Tree(2, OfIdentity));
    }

    private Condition When()
    {
        Condition pinned = Chance(75) ? Agent(Of(Agents)) : Issuer(Of(Issuers));
        return Of<Func<Condition>>([
            () => Tree(3, OfRequest),
            () => new Condition.And(pinned, Tree(3, OfAny)),
            () => new Condition.And(new Condition.And(CredentialName(Of(Credentials)), pinned), Tree(2, OfAny)),
        ])();
    }

    private Condition Tree(int depth, Func<Condition> leaf) =>
        (depth == 0 || Chance(30) ? -1 : _dice.Below(6)) switch
        {
            -1 => leaf(),
            0 or 1 => new Condition.And(Tree(depth - 1, leaf), Tree(depth - 1, leaf)),
            2 or 3 => new Condition.Or(Tree(depth - 1, leaf), Tree(depth - 1, leaf)),
            4 => new Condition.Not(Tree(depth - 1, leaf)),
            _ => new Condition.Choice(Tree(depth - 1, leaf), Tree(depth - 1, leaf), Tree(depth - 1, leaf)),
        };

    private Condition OfAny() => Chance(25) ? OfIdentity() : OfRequest();

    private Condition OfIdentity()
    {
        var name = Of(Workloads);
        return _dice.Below(5) switch
        {
            0 => new Condition.Atom($"identity.workload == \"{name}\"", facts => facts.Identity.Workload == name),
            1 => new Condition.Atom("has(identity.claims.azp)", facts => facts.Identity.Claims.ContainsKey("azp")),
            // A claim that is not there is an error; one of another type is another value.
            2 => new Condition.Atom(
                $"identity.claims.azp == \"{name}\"",
                facts =>
                    facts.Identity.Claims.TryGetValue("azp", out var azp)
                        ? azp.ValueKind == JsonValueKind.String && azp.GetString() == name
                        : null
            ),
            3 => new Condition.Atom(
                $"identity.claims.azp.startsWith(\"{name[..1]}\")",
                facts =>
                    facts.Identity.Claims.TryGetValue("azp", out var azp) && azp.ValueKind == JsonValueKind.String
                        ? azp.GetString()!.StartsWith(name[..1], StringComparison.Ordinal)
                        : null
            ),
            _ => new Condition.Atom("identity.proof == \"oidc\"", facts => facts.Identity.Proof == ProofMethod.Oidc),
        };
    }

    private Condition OfRequest()
    {
        var (action, seconds, category, prefix) = (Of(Actions), Of(Ttls), Of(Categories), Of(Resources));
        return _dice.Below(15) switch
        {
            0 => Agent(Of(Agents)),
            1 => CredentialName(Of(Credentials)),
            2 => new Condition.Atom(
                $"credential.category == \"{category}\"",
                facts => facts.Credential!.Category == category
            ),
            3 => new Condition.Atom("credential.reversible", facts => facts.Reversible),
            4 => new Condition.Atom(
                "credential.revocation == \"backend\"",
                facts => facts.Credential!.Revocation == "backend"
            ),
            5 => new Condition.Atom(
                "credential.access in [\"read\", \"write\"]",
                facts => facts.Credential!.Access is AccessKind.Read or AccessKind.Write
            ),
            6 => new Condition.Atom(
                "credential.impact != \"high\"",
                facts => facts.Credential!.Impact != ImpactLevel.High
            ),
            7 => new Condition.Atom(
                $"\"{action}\" in request.actions",
                facts => facts.Request!.Actions.Contains(action)
            ),
            8 => new Condition.Atom(
                $"request.actions.all(x, x == \"{action}\" || x == \"read\")",
                facts => facts.Request!.Actions.All(given => given == action || given == "read")
            ),
            9 => new Condition.Atom(
                string.Create(CultureInfo.InvariantCulture, $"request.ttl <= duration(\"{seconds}s\")"),
                facts => facts.Ttl <= TimeSpan.FromSeconds(seconds)
            ),
            10 => new Condition.Atom(
                $"request.resource.startsWith(\"{prefix}\")",
                facts => facts.Request!.Resource.StartsWith(prefix, StringComparison.Ordinal)
            ),
            // Missing is an error, and so is a text.
            11 => new Condition.Atom(
                "toolCall.arguments.amount > 50",
                facts =>
                    facts.Request!.ToolCall?.Arguments.TryGetProperty("amount", out var amount) == true
                    && amount.ValueKind == JsonValueKind.Number
                        ? amount.GetDouble() > 50
                        : null
            ),
            12 => new Condition.Atom(
                "toolCall.name == \"transfer\"",
                facts => facts.Request!.ToolCall?.Name == "transfer"
            ),
            13 => new Condition.Atom("size(context.gate) == 0", facts => facts.FailedGate.Count == 0),
            _ => new Condition.Atom(
                "process.tolerates && process.owner.subject != \"\"",
                facts => facts.Process!.Tolerates && facts.Process.HasOwner
            ),
        };
    }

    private static Condition.Atom Agent(string name) => new($"agent == \"{name}\"", facts => facts.Agent == name);

    private static Condition.Atom Issuer(string issuer) =>
        new($"identity.issuer == \"{issuer}\"", facts => facts.Identity.Issuer == issuer);

    private static Condition.Atom TrustDomain() =>
        new("identity.trustDomain == \"acme.example\"", facts => facts.Identity.TrustDomain == "acme.example");

    private static Condition.Atom CredentialName(string name) =>
        new($"credential.name == \"{name}\"", facts => facts.Credential!.Name == name);

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private bool Chance(int percent) => _dice.Below(100) < percent;

    private T Of<T>(IReadOnlyList<T> all) => _dice.Of(all);

    private string[] Some(string[] all) => _dice.Some(all);
}
