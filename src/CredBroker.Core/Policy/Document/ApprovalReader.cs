using System.Text.RegularExpressions;
using CredBroker.Cel;
using CredBroker.Core.Identity;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy.Document;

/// <summary>Reads what a challenge rule says under <c>approval</c>: who is asked, how many, for how long, what they see.</summary>
internal sealed partial class ApprovalReader(PolicyDraft draft)
{
    /// <summary>Nobody reads a longer list, and nobody asks more people than this for one step.</summary>
    public const int MostApprovers = 32;

    private const int MostShown = 16;
    private const int LongestLabel = 40;
    private const int LongestName = 256;

    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    internal static readonly TimeSpan Longest = TimeSpan.FromHours(24);
    private static readonly string[] Roles = [.. Enum.GetNames<PersonRole>().Select(role => role.ToLowerInvariant())];

    private readonly PolicyFaultList _faults = draft.Faults;

    public ApprovalClause? Read(RuleDraft rule)
    {
        if (rule.ApprovalAt is not { } value)
        {
            return null;
        }

        var reader = new MappingReader(value, "an approval", _faults);
        var people = ReadPeople(reader, reader.Find("escalate"));
        var executor = reader.Scalar(reader.Find("executor"), "executor");
        var agents = draft.Agents.ConvertAll(agent => agent.Name.Text);
        if (executor is not null && !agents.Contains(executor.Text))
        {
            _faults.Add(
                executor,
                $"there is no agent `{executor.Text}`{NearestName.Suggestion(executor.Text, agents)}"
            );
        }

        var show = ReadShow(reader.Find("show"), rule);
        var timeBox = ReadTimeBox(reader, rule);
        reader.Finish("an approval");
        return new()
        {
            Demand = people.Demand with
            {
                RuleId = rule.Id.Text,
                Executor = executor?.Text ?? "",
                ExecutorMember = draft.Agents.Find(agent => agent.Name.Text == executor?.Text)?.Source?.Text,
                TimeBox = timeBox,
                Show = show,
            },
            OwnerMayApprove = people.OwnerMayApprove,
            EscalatesToOwner = people.EscalatesToOwner,
            NotOwner = people.NotOwner,
        };
    }

    /// <summary>What a limit asks: only who, how many and for how long.</summary>
    public ApprovalClause ReadOfLimit(YamlNode value)
    {
        var reader = new MappingReader(value, "`challenge`", _faults);
        var people = ReadPeople(reader, escalateAt: null);
        reader.Finish("`challenge`");
        return people;
    }

    private ApprovalClause ReadPeople(MappingReader reader, YamlNode? escalateAt)
    {
        var notOwner = reader.FlagOrFalse("notOwner");
        var (approvers, ownerAt) = ReadApprovers(reader.Need("approvers"), "approvers");
        var expiresAt = reader.Need("expiresAfter");
        var expiresAfter = reader.Duration(expiresAt, "expiresAfter", Longest);
        if (expiresAfter < Shortest)
        {
            _faults.Add(expiresAt!, "`expiresAfter` must be at least 1m: nobody answers faster");
        }

        var (escalation, toOwnerAt) = ReadEscalation(escalateAt, expiresAfter);
        foreach (var at in notOwner ? new[] { ownerAt, toOwnerAt }.OfType<YamlNode>() : [])
        {
            _faults.Add(at, "`owner` is asked here, and `notOwner` keeps the owner from approving");
        }

        var quorumAt = reader.Find("quorum");
        var quorum = reader.Integer(quorumAt, "quorum", 1, MostApprovers);
        Approver[] all = [.. approvers, .. escalation?.To ?? []];
        var named = all.OfType<Approver.Person>().Distinct().Count() + ((ownerAt ?? toOwnerAt) is null ? 0 : 1);
        if (quorum > named && all.All(approver => approver is Approver.Person) && named > 0)
        {
            _faults.Add(
                quorumAt!,
                escalation is null
                    ? $"`quorum` asks for {quorum} people, and `approvers` names {named}"
                    : $"`quorum` asks for {quorum} people, and `approvers` and `to` name {named}"
            );
        }

        return new()
        {
            Demand = new()
            {
                Approvers = approvers,
                Quorum = quorum,
                Escalation = escalation,
                ExpiresAfter = expiresAfter ?? Shortest,
            },
            OwnerMayApprove = ownerAt is not null,
            EscalatesToOwner = toOwnerAt is not null,
            NotOwner = notOwner,
        };
    }

    private TimeSpan? ReadTimeBox(MappingReader reader, RuleDraft rule)
    {
        if (reader.Find("timeBox") is not { } at)
        {
            return null;
        }

        var timeBox = reader.Duration(at, "timeBox", Longest);
        if (timeBox < Shortest)
        {
            _faults.Add(at, "`timeBox` must be at least 1m: ask each time instead");
        }

        // Where some of what the rule reaches takes one, what does not is the linter's to tell.
        if (
            rule.When is not null
            && new RuleScope(rule, draft) is { Fault: null } scope
            && TimeBoxTakers.In(scope, draft) is { Takers: [], Others: not [] }
        )
        {
            _faults.Add(
                at,
                "`timeBox` is never offered for what this rule reaches: it is of high impact or cannot be undone"
            );
        }

        return timeBox;
    }

    private (ApprovalEscalation? Escalation, YamlNode? OwnerAt) ReadEscalation(YamlNode? value, TimeSpan? expiresAfter)
    {
        if (value is null)
        {
            return (null, null);
        }

        var reader = new MappingReader(value, "`escalate`", _faults);
        var at = reader.Need("after");
        var after = reader.Duration(at, "after", Longest);
        if (after < Shortest)
        {
            _faults.Add(at!, "`after` must be at least 1m: nobody answers faster");
        }
        else if (after >= expiresAfter)
        {
            _faults.Add(at!, "`after` must be less than `expiresAfter`: nobody could answer then");
        }

        var (to, ownerAt) = ReadApprovers(reader.Need("to"), "to");
        reader.Finish("`escalate`");
        return (new(after ?? Shortest, to), ownerAt);
    }

    private (List<Approver> Approvers, YamlNode? OwnerAt) ReadApprovers(YamlNode? value, string key)
    {
        var approvers = new List<Approver>();
        YamlNode? ownerAt = null;
        foreach (var item in ItemsOf(value, key, MostApprovers))
        {
            var isOwner = item is YamlScalar { Text: "owner" };
            var approver = isOwner ? null : ReadApprover(item);
            if (isOwner ? ownerAt is not null : approver is not null && approvers.Contains(approver))
            {
                _faults.Add(item, $"this approver stands in `{key}` twice");
            }
            else if (approver is not null)
            {
                approvers.Add(approver);
            }

            ownerAt ??= isOwner ? item : null;
        }

        if (value is YamlSequence { Items.Count: 0 })
        {
            _faults.Add(value, $"`{key}` is empty: nobody could be asked");
        }

        return (approvers, ownerAt);
    }

    private Approver? ReadApprover(YamlNode item)
    {
        if (item is YamlMapping)
        {
            var reader = new MappingReader(item, "an approver", _faults);
            var person = new Approver.Person(reader.Text("issuer"), reader.Text("subject"));
            reader.Finish("an approver");
            return person;
        }

        var text = (item as YamlScalar)?.Text ?? "";
        var (kind, name) = text.Split(':', 2) is [var before, var after] ? (before, after) : ("", "");
        if (kind is not ("group" or "role") || name.Length is 0 or > LongestName || !VisibleText.IsIn(name))
        {
            _faults.Add(item, "an approver is \"group:NAME\", \"role:NAME\", owner, or { issuer, subject }");
            return null;
        }

        if (kind == "group")
        {
            return new Approver.Group(name);
        }

        if (!Roles.Contains(name))
        {
            _faults.Add(item, $"there is no role `{name}`{NearestName.Suggestion(name, Roles)}");
        }

        return new Approver.Role(name);
    }

    private List<ShownArgument> ReadShow(YamlNode? value, RuleDraft rule)
    {
        var shown = new List<ShownArgument>();
        foreach (var item in ItemsOf(value, "show", MostShown))
        {
            var reader = new MappingReader(item, "a shown argument", _faults);
            var label = reader.Text("label");
            var path = reader.Text("path");
            var asDigest = reader.Find("as") is not null && reader.Choice("as", ["digest"]) == "digest";
            reader.Finish("a shown argument");
            if (label.Length == 0)
            {
                continue;
            }

            if (label.Length > LongestLabel || !VisibleText.IsIn(label))
            {
                _faults.Add(reader.Find("label")!, $"a label is at most {LongestLabel} visible characters");
            }
            else if (shown.Exists(other => other.Label == label))
            {
                _faults.Add(reader.Find("label")!, $"another argument is shown as `{label}`");
            }

            if (path.Length > 0 && FaultOfPath(path, rule) is { } fault)
            {
                _faults.Add(reader.Find("path")!, fault);
            }

            shown.Add(new(label, path, asDigest));
        }

        return shown;
    }

    private string? FaultOfPath(string path, RuleDraft rule)
    {
        if (!PathForm().IsMatch(path))
        {
            return $"a path begins with {ShownArgument.Root} and goes on with names and points, "
                + "such as toolCall.arguments.amount";
        }

        if (rule.When is null)
        {
            return null;
        }

        // Which entry is meant is known as far as the rule's own condition says; where one of them has no schema, the
        // argument may be its.
        var scope = new RuleScope(rule, draft);
        var schemas = draft
            .Credentials.Where(credential => scope.Reaches(credential.Item))
            .Select(credential => credential.Item.ToolSchemas)
            .ToList();
        if (schemas.Count == 0 || schemas.Contains(null))
        {
            return null;
        }

        var tool = scope.PinnedTo("toolCall.name");
        var names = ShownArgument.NamesOf(path);
        return schemas
            .SelectMany(byTool => byTool!)
            .Any(pair => (tool is null || tool == pair.Key) && pair.Value?.Declares(names) is not false)
            ? null
            : $"the schema of the tool's arguments has no `{path}`";
    }

    private List<YamlNode> ItemsOf(YamlNode? value, string key, int most)
    {
        switch (value)
        {
            case null:
                return [];
            case YamlSequence { Items: var items } when items.Count <= most:
                return items;
            case YamlSequence:
                _faults.Add(value, $"`{key}` takes at most {most}");
                return [];
            default:
                _faults.Add(value, $"`{key}` must be a list, not {value.Kind}");
                return [];
        }
    }

    [GeneratedRegex(
        @"\AtoolCall\.arguments(\.[A-Za-z_][A-Za-z0-9_-]{0,63}){0,8}\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture
    )]
    private static partial Regex PathForm();
}
