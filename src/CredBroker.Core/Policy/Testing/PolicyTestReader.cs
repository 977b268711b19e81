using CredBroker.Cel;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy.Testing;

/// <summary>Reads a file of policy tests: every fault at once, with its place.</summary>
internal sealed class PolicyTestReader(PolicyFaultList faults)
{
    private const int MostTests = 1_000;

    // A task needs an id and a purpose, and most tests are about neither.
    private const string AnyTask = "test";

    private readonly YamlJson _json = new(faults);
    private readonly Dictionary<string, WorkloadIdentity> _identities = new(StringComparer.Ordinal);

    public PolicyTestFile Read(YamlNode root)
    {
        var reader = new MappingReader(root, "a test file", faults);
        if (!reader.IsMapping)
        {
            return new(null, []);
        }

        reader.Choice("apiVersion", absent: (bool?)null, ("credbroker/v1", true));
        var policy = reader.TextOrNull("policy");
        ReadIdentities(reader.Find("identities"));
        var tests = ReadTests(reader.Need("tests"));
        reader.Finish("a test file");
        return new(policy, tests);
    }

    private void ReadIdentities(YamlNode? value)
    {
        if (value is not null and not YamlMapping)
        {
            faults.Add(value, $"`identities` must be a mapping from names, not {value.Kind}");
        }

        foreach (var (name, identity) in (value as YamlMapping)?.Entries ?? [])
        {
            PolicyName.Check(name, faults);
            if (!_identities.TryAdd(name.Text, ReadIdentity(identity)))
            {
                faults.Add(name, $"`{name.Text}` stands in `identities` twice");
            }
        }
    }

    private List<PolicyTest> ReadTests(YamlNode? value)
    {
        var tests = new List<PolicyTest>();
        switch (value)
        {
            case YamlSequence { Items.Count: 0 }:
                faults.Add(value, "`tests` is empty: nothing would be tested");
                break;
            case YamlSequence { Items.Count: > MostTests }:
                faults.Add(value, $"a file has at most {MostTests} tests");
                return tests;
            case not null and not YamlSequence:
                faults.Add(value, $"`tests` must be a list, not {value.Kind}");
                break;
        }

        foreach (var item in (value as YamlSequence)?.Items ?? [])
        {
            var reader = new MappingReader(item, "a test", faults);
            if (!reader.IsMapping)
            {
                continue;
            }

            var name = reader.Text("name");
            if (name.Length > 0 && tests.Exists(earlier => earlier.Name == name))
            {
                faults.Add(reader.Find("name")!, "another test has this name");
            }

            tests.Add(ReadTest(reader, name));
        }

        return tests;
    }

    private PolicyTest ReadTest(MappingReader reader, string name)
    {
        var (identity, task, request) = (Nobody(), new AgentTask("", "", ""), Nothing());
        if (reader.Need("given") is { } node)
        {
            var given = new MappingReader(node, "`given`", faults);
            identity = given.Need("identity") is { } who ? IdentityOf(who) : identity;
            task = given.Need("task") is { } what ? ReadTask(what) : task;
            request = given.Need("request") is { } asked ? ReadRequest(asked) : request;
            given.Finish("`given`");
        }

        var expected = reader.Need("expect") is { } expect ? ReadExpectation(expect) : new(PolicyEffect.Deny);
        reader.Finish("a test");
        return new(name, reader.Node.Line, reader.Node.Column, identity, task, request, expected);
    }

    private WorkloadIdentity IdentityOf(YamlNode node)
    {
        if (node is not YamlScalar name)
        {
            return ReadIdentity(node);
        }

        if (_identities.TryGetValue(name.Text, out var identity))
        {
            return identity;
        }

        faults.Add(
            name,
            $"`identities` has no `{name.Text}`{NearestName.Suggestion(name.Text, _identities.Keys)}; "
                + "an identity can also be written out here"
        );
        return Nobody();
    }

    private WorkloadIdentity ReadIdentity(YamlNode node)
    {
        var reader = new MappingReader(node, "an identity", faults);
        var identity = reader.Find("spiffeId") is null ? OfIssuer(reader) : OfTrustDomain(reader);
        identity = identity with
        {
            Workload = reader.TextOrNull("workload") ?? identity.Workload,
            Instance = reader.TextOrNull("instance") ?? "",
            Claims = _json
                .ObjectOf(reader.Find("claims"), "claims")
                .EnumerateObject()
                .ToDictionary(claim => claim.Name, claim => claim.Value, StringComparer.Ordinal),
        };
        reader.Finish("an identity");
        return identity;
    }

    private static WorkloadIdentity OfIssuer(MappingReader reader)
    {
        var subject = reader.Text("subject");
        return Nobody() with { Issuer = reader.Text("issuer"), Subject = subject, Workload = subject };
    }

    /// <summary>
    /// As a trust domain's rules make it: issuer and subject follow from the SPIFFE ID, and the workload is its path where
    /// no template says which part.
    /// </summary>
    private WorkloadIdentity OfTrustDomain(MappingReader reader)
    {
        foreach (var key in new[] { "issuer", "subject" })
        {
            if (reader.Find(key) is { } stray)
            {
                faults.Add(stray, $"`{key}` follows from `spiffeId`: leave it out");
            }
        }

        var text = reader.Text("spiffeId");
        if (!SpiffeId.TryParse(text, out var id, out var fault))
        {
            faults.Add(reader.Find("spiffeId")!, $"`spiffeId`: {fault}");
            return Nobody();
        }

        return Nobody() with
        {
            Proof = ProofMethod.JwtSvid,
            Issuer = $"spiffe://{id.TrustDomain}",
            Subject = id.Text,
            Workload = id.Path,
            SpiffeId = id.Text,
            TrustDomain = id.TrustDomain,
        };
    }

    private AgentTask ReadTask(YamlNode node)
    {
        var reader = new MappingReader(node, "a task", faults);
        var process = reader.Text("process");
        var id = reader.TextOrNull("id") ?? AnyTask;
        var purpose = reader.TextOrNull("purpose") ?? AnyTask;
        reader.Finish("a task");
        return new(id, process, purpose);
    }

    private CredentialRequest ReadRequest(YamlNode node)
    {
        var reader = new MappingReader(node, "a request", faults);
        var request = new CredentialRequest
        {
            Credential = reader.Text("credential"),
            Actions = [.. reader.Texts(reader.Need("actions"), "actions").Select(action => action.Text)],
            Resource = reader.TextOrNull("resource") ?? "",
            Ttl = reader.Duration(reader.Find("ttl"), "ttl", CatalogueReader.LongestTtl),
            Params = reader.Find("params") is { } values ? ReadParams(values) : null,
            ToolCall = reader.Find("toolCall") is { } call ? ReadToolCall(call) : null,
        };
        reader.Finish("a request");
        return request;
    }

    /// <summary>As a request may bring them; none is none, however it is written.</summary>
    private Dictionary<string, string>? ReadParams(YamlNode node)
    {
        if (node is not YamlMapping { Entries.Count: <= CatalogueParameter.Most } mapping)
        {
            faults.Add(node, $"`params` must be a mapping of at most {CatalogueParameter.Most} parameters");
            return null;
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in mapping.Entries)
        {
            if (!CatalogueParameter.IsName(name.Text))
            {
                faults.Add(name, "a parameter's name is a letter, then letters, digits or _, at most 32");
            }

            if (value is not YamlScalar { IsNull: false, Text: var text } || !CatalogueParameter.IsSegment(text))
            {
                faults.Add(value, "a parameter's value is 1 to 128 letters, digits or - _ ., and no . or .. alone");
            }
            else if (!values.TryAdd(name.Text, text))
            {
                faults.Add(name, $"`{name.Text}` stands in `params` twice");
            }
        }

        return values.Count == 0 ? null : values;
    }

    private ToolCall ReadToolCall(YamlNode node)
    {
        var reader = new MappingReader(node, "a tool call", faults);
        var name = reader.Text("name");
        var arguments = _json.ObjectOf(reader.Find("arguments"), "arguments");
        reader.Finish("a tool call");
        return new(name, arguments);
    }

    private PolicyExpectation ReadExpectation(YamlNode node)
    {
        var reader = new MappingReader(node, "`expect`", faults);
        var effect = reader.Choice(
            "effect",
            absent: (PolicyEffect?)null,
            ("allow", PolicyEffect.Allow),
            ("challenge", PolicyEffect.Challenge),
            ("deny", PolicyEffect.Deny)
        );
        var expected = new PolicyExpectation(effect)
        {
            Rule = reader.TextOrNull("rule"),
            Ttl = reader.Duration(reader.Find("ttl"), "ttl", CatalogueReader.LongestTtl),
            Code = reader.Scalar(reader.Find("code"), "code") is { } code ? CheckedCode(code) : null,
            Approvers = reader.Find("approvers") is { } approvers ? ReadApprovers(approvers) : null,
            Quorum = reader.Find("quorum") is { } quorum
                ? reader.Integer(quorum, "quorum", 1, ApprovalReader.MostApprovers)
                : null,
            TimeBox = reader.Duration(reader.Find("timeBox"), "timeBox", ApprovalReader.Longest),
            Executor = reader.TextOrNull("executor"),
        };
        Only(effect != PolicyEffect.Deny, "ttl", "a denial grants nothing");
        Only(effect != PolicyEffect.Allow, "code", "what is allowed is told no code");
        Only(effect == PolicyEffect.Challenge, "approvers", "only a challenge asks people");
        Only(effect == PolicyEffect.Challenge, "quorum", "only a challenge asks people");
        Only(effect == PolicyEffect.Challenge, "timeBox", "only a challenge offers a time box");
        Only(effect == PolicyEffect.Challenge, "executor", "only a challenge has an executor");
        reader.Finish("`expect`");
        return expected;

        void Only(bool fits, string key, string why)
        {
            if (!fits && reader.Find(key) is { } stray)
            {
                faults.Add(stray, $"{why}: leave `{key}` out");
            }
        }
    }

    private string CheckedCode(YamlScalar code)
    {
        if (!Enum.GetValues<RefusalCode>().Any(known => $"CB{(int)known}" == code.Text))
        {
            faults.Add(code, $"there is no refusal code `{code.Text}`");
        }

        return code.Text;
    }

    private List<Approver?> ReadApprovers(YamlNode node)
    {
        var approvers = new List<Approver?>();
        if (node is not YamlSequence { Items: { Count: > 0 } items })
        {
            faults.Add(node, "`approvers` must be a list, and not an empty one");
            return approvers;
        }

        foreach (var item in items)
        {
            switch (item)
            {
                case YamlScalar { Text: "owner" }:
                    approvers.Add(null);
                    break;
                case YamlScalar { Text: var text } when text.StartsWith("group:", StringComparison.Ordinal):
                    approvers.Add(new Approver.Group(text["group:".Length..]));
                    break;
                case YamlScalar { Text: var text } when text.StartsWith("role:", StringComparison.Ordinal):
                    approvers.Add(new Approver.Role(text["role:".Length..]));
                    break;
                case YamlMapping:
                    var reader = new MappingReader(item, "an approver", faults);
                    approvers.Add(new Approver.Person(reader.Text("issuer"), reader.Text("subject")));
                    reader.Finish("an approver");
                    break;
                default:
                    faults.Add(item, "an approver is \"group:NAME\", \"role:NAME\", owner, or { issuer, subject }");
                    break;
            }
        }

        return approvers;
    }

    private static WorkloadIdentity Nobody() =>
        new()
        {
            Proof = ProofMethod.Oidc,
            Issuer = "",
            Subject = "",
            Workload = "",
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "",
        };

    private static CredentialRequest Nothing() => new() { Credential = "", Actions = [] };
}
