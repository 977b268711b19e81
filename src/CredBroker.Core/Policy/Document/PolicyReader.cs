using CredBroker.Cel;

namespace CredBroker.Core.Policy.Document;

/// <summary>Reads a policy document: every fault at once, with its place.</summary>
internal sealed class PolicyReader
{
    private readonly PolicyDraft _draft;
    private readonly PolicyFaultList _faults;

    private PolicyReader(PolicyDraft draft) => (_draft, _faults) = (draft, draft.Faults);

    public static PolicyDraft Read(PolicyDocument document)
    {
        var draft = new PolicyDraft(document);
        if (YamlTree.Read(document.Text, draft.Faults) is { } root)
        {
            new PolicyReader(draft).ReadRoot(root);
        }

        return draft;
    }

    private void ReadRoot(YamlNode root)
    {
        var reader = new MappingReader(root, "a policy", _faults);
        if (!reader.IsMapping)
        {
            return;
        }

        reader.Choice("apiVersion", absent: (bool?)null, ("credbroker/v1", true));
        _draft.Limits.AddRange(new LimitReader(_draft).Read(reader.Find("limits")));
        foreach (var (name, value) in Named(reader.Need("agents"), "agents"))
        {
            ReadAgent(name, value);
        }

        var catalogue = new CatalogueReader(_draft.Document, _faults);
        foreach (var (name, value) in Named(reader.Need("credentials"), "credentials"))
        {
            _draft.Credentials.Add(new(name, catalogue.Read(name, value)));
        }

        foreach (var (template, other) in PathOverlap.In(_draft.Credentials, isCertain: true))
        {
            _faults.Add(
                template.Name,
                $"{PathOverlap.Describe(template, other)}: narrow the pattern, or give one of them another path"
            );
        }

        foreach (var (name, value) in Named(reader.Need("processes"), "processes"))
        {
            ReadProcess(name, value);
        }

        ReadRules(reader.Need("rules"));
        reader.Finish("a policy");
    }

    private IEnumerable<(YamlScalar Name, YamlNode Value)> Named(YamlNode? node, string what)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        if (node is not null and not YamlMapping)
        {
            _faults.Add(node, $"`{what}` must be a mapping from names, not {node.Kind}");
        }

        foreach (var (name, value) in (node as YamlMapping)?.Entries ?? [])
        {
            PolicyName.Check(name, _faults);
            if (seen.Add(name.Text))
            {
                yield return (name, value);
            }
            else
            {
                _faults.Add(name, $"`{name.Text}` stands in `{what}` twice");
            }
        }
    }

    private void ReadAgent(YamlScalar name, YamlNode value)
    {
        var reader = new MappingReader(value, "an agent", _faults);
        var source = reader.Scalar(reader.Need("member"), "member");
        var member = Compile(source, PolicyRoots.Member);
        if (member is not null)
        {
            RequireSource(member, source!);
        }

        reader.Finish("an agent");
        _draft.Agents.Add(new(name, member, source));
    }

    private void ReadProcess(YamlScalar name, YamlNode value)
    {
        var reader = new MappingReader(value, "a process", _faults);
        var tolerates = reader.Flag("toleratesRuntimeAction");
        var agents = reader.Texts(reader.Need("agents"), "agents");
        if (reader.Find("agents") is YamlSequence { Items.Count: 0 } none)
        {
            _faults.Add(none, "`agents` is empty: nobody could claim the process");
        }

        RequireKnown(agents, "agent", _draft.Agents.ConvertAll(agent => agent.Name.Text));
        var accepts = reader.Texts(reader.Find("acceptsUnrevocable"), "acceptsUnrevocable");
        RequireKnown(accepts, "credential", _draft.Credentials.ConvertAll(credential => credential.Name.Text));
        var owner = ReadOwner(reader.Find("owner"));
        var revokes = reader.Choice("onOwnerGone", absent: false, ("constrain", false), ("revoke", true));
        if (owner is null && reader.Find("onOwnerGone") is { } nobody)
        {
            _faults.Add(nobody, "`onOwnerGone` is there, and no `owner` who could go");
        }

        reader.Finish("a process");
        var process = new BusinessProcess
        {
            Name = name.Text,
            Owner = owner,
            ToleratesRuntimeAction = tolerates,
            Agents = [.. agents.Select(agent => agent.Text)],
            RevokesWhenOwnerGoes = revokes,
            AcceptsUnrevocable = [.. accepts.Select(credential => credential.Text)],
        };
        _draft.Processes.Add(new(name, process, agents));
    }

    private ProcessOwner? ReadOwner(YamlNode? value)
    {
        if (value is null)
        {
            return null;
        }

        var reader = new MappingReader(value, "an owner", _faults);
        var owner = new ProcessOwner(reader.Text("issuer"), reader.Text("subject"), reader.Text("contact"));
        reader.Finish("an owner");
        return owner;
    }

    private void RequireKnown(IEnumerable<YamlScalar> names, string what, IReadOnlyCollection<string> known)
    {
        foreach (var name in names.Where(name => !known.Contains(name.Text)))
        {
            _faults.Add(name, $"there is no {what} `{name.Text}`{NearestName.Suggestion(name.Text, known)}");
        }
    }

    private void ReadRules(YamlNode? value)
    {
        if (value is not null and not YamlSequence)
        {
            _faults.Add(value, $"`rules` must be a list, not {value.Kind}");
        }

        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in (value as YamlSequence)?.Items ?? [])
        {
            var reader = new MappingReader(item, "a rule", _faults);
            if (!reader.IsMapping)
            {
                continue;
            }

            var id =
                reader.Scalar(reader.Need("id"), "id") ?? new YamlScalar(item.Line, item.Column, "", IsPlain: true, 0);
            if (id.Text.Length > 0)
            {
                PolicyName.Check(id, _faults);
                if (!ids.Add(id.Text))
                {
                    _faults.Add(id, $"the id `{id.Text}` belongs to an earlier rule");
                }
            }

            _draft.Rules.Add(ReadRule(reader, id));
        }
    }

    private RuleDraft ReadRule(MappingReader reader, YamlScalar id)
    {
        var effect = reader.Choice(
            "effect",
            absent: (PolicyEffect?)null,
            ("allow", PolicyEffect.Allow),
            ("challenge", PolicyEffect.Challenge),
            ("deny", PolicyEffect.Deny)
        );
        var source = reader.Scalar(reader.Need("when"), "when");
        var when = Compile(source, PolicyRoots.Rule);
        if (when is not null)
        {
            RequireSource(when, source!);
        }

        var maxTtlAt = reader.Find("maxTtl");
        var maxTtl = reader.Duration(maxTtlAt, "maxTtl", CatalogueReader.LongestTtl);
        if (maxTtlAt is not null && effect == PolicyEffect.Deny)
        {
            _faults.Add(maxTtlAt, "a deny rule takes no `maxTtl`");
        }

        var rule = new RuleDraft(id, effect, when, source, maxTtl, maxTtlAt)
        {
            IsShadow = reader.Choice("enforcement", absent: false, ("enforce", false), ("shadow", true)),
        };
        if (effect == PolicyEffect.Challenge)
        {
            rule = rule with { ApprovalAt = reader.Need("approval") };
            rule = rule with { Approval = new ApprovalReader(_draft).Read(rule) };
        }
        else if (reader.Find("approval") is { } stray)
        {
            _faults.Add(stray, "only a rule that challenges takes `approval`");
        }

        reader.Finish("a rule");
        return rule;
    }

    private CelProgram? Compile(YamlScalar? source, CelSchema schema)
    {
        if (source is null)
        {
            return null;
        }

        var found = new List<CelFault>();
        var program = CelProgram.Compile(source.Text, schema, found);
        if (program is not null && !program.Type.Fits(CelType.Bool))
        {
            found.Add(new(0, $"a condition must be true or false, not {program.Type}"));
            program = null;
        }

        foreach (var fault in found)
        {
            var (line, column) = source.Locate(_draft.Document.Text, fault.Offset);
            _faults.Add(line, column, fault.Message);
        }

        return program;
    }

    // Another issuer could mint the same subject, workload, instance or claim: a condition that reads one must say
    // whose it means.
    private void RequireSource(CelProgram program, YamlScalar at)
    {
        var reads = PolicyRoots.BoundToSource.Where(program.Reads.Contains).ToList();
        if (reads.Count == 0 || program.Pins().Any(IsSource))
        {
            return;
        }

        _faults.Add(
            at,
            $"{reads[0]} alone does not say whose it is, another issuer could mint the same: "
                + $"add a top-level && that compares {string.Join(" or ", PolicyRoots.Sources)} by == with a text"
        );
    }

    // A trust domain of "" is every identity that has none, and an agent is a source only if its own condition has one.
    private bool IsSource((string Path, string Text, int Offset) pin) =>
        pin.Text.Length > 0
        && (
            pin.Path != "agent"
                ? PolicyRoots.Sources.Contains(pin.Path)
                : _draft.Agents.Find(agent => agent.Name.Text == pin.Text) is not { Member: { } member }
                    || member
                        .Pins()
                        .Any(own =>
                            own.Text.Length > 0
                            && own.Path is "identity.issuer" or "identity.trustDomain" or "identity.spiffeId"
                        )
        );
}
