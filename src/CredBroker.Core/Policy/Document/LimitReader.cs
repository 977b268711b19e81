namespace CredBroker.Core.Policy.Document;

/// <summary>Reads the policy's <c>limits</c>.</summary>
internal sealed class LimitReader(PolicyDraft draft)
{
    // Each opening of a lease is counted by all of them.
    private const int MaxLimits = 20;
    private const int MaxActive = 1_000_000;

    // What is counted within a window is a row each until it has left it.
    private const int MaxCount = 10_000;
    private static readonly TimeSpan LongestWindow = TimeSpan.FromDays(7);
    private static readonly TimeSpan LongestQuarantine = TimeSpan.FromDays(7);

    private readonly PolicyFaultList _faults = draft.Faults;

    public IReadOnlyList<LimitDraft> Read(YamlNode? value)
    {
        if (value is not null and not YamlSequence)
        {
            _faults.Add(value, $"`limits` must be a list, not {value.Kind}");
        }

        var limits = new List<LimitDraft>();
        foreach (var item in (value as YamlSequence)?.Items ?? [])
        {
            var reader = new MappingReader(item, "a limit", _faults);
            if (!reader.IsMapping)
            {
                continue;
            }

            if (limits.Count == MaxLimits)
            {
                _faults.Add(item, $"there are more than {MaxLimits} limits, and each is compared with every lease");
                break;
            }

            var limit = ReadLimit(reader);
            if (limits.Exists(earlier => earlier.Limit.Id == limit.Limit.Id) && limit.Limit.Id.Length > 0)
            {
                _faults.Add(limit.Id, $"the id `{limit.Limit.Id}` belongs to an earlier limit");
            }

            limits.Add(limit);
        }

        return limits;
    }

    private LimitDraft ReadLimit(MappingReader reader)
    {
        var id = reader.Scalar(reader.Need("id"), "id");
        if (id is not null)
        {
            PolicyName.Check(id, _faults);
        }

        var per = reader.Choice(
            "per",
            absent: (LimitScope?)null,
            ("instance", LimitScope.Instance),
            ("workload", LimitScope.Workload),
            ("task", LimitScope.Task),
            ("process", LimitScope.Process),
            ("credential", LimitScope.Credential)
        );
        int? maxActive = reader.Find("maxActive") is null ? null : reader.Integer("maxActive", 1, MaxActive);
        var (issuedAt, deniedAt) = (reader.Find("maxIssued"), reader.Find("maxDenied"));
        var (quarantineFor, challenge) = ReadBreach(reader.Find("onBreach"));
        var limit = new PolicyLimit
        {
            Id = id?.Text ?? "",
            Per = per,
            MaxActive = maxActive,
            MaxIssued = ReadRate(issuedAt, "maxIssued"),
            MaxDenied = ReadRate(deniedAt, "maxDenied"),
            QuarantineFor = quarantineFor,
            Challenge = challenge,
        };
        if (reader.Find("maxActive") is null && issuedAt is null && deniedAt is null)
        {
            _faults.Add(reader.Node, "a limit needs one of `maxActive`, `maxIssued` and `maxDenied`");
        }

        // Whoever may ask for a process could otherwise be denied until others are stopped.
        if (deniedAt is not null && per is not (LimitScope.Instance or LimitScope.Workload))
        {
            _faults.Add(
                deniedAt,
                "a denial counts against the identity that asked: with `maxDenied`, `per` must be instance or workload"
            );
        }

        reader.Finish("a limit");
        return new(id ?? new YamlScalar(reader.Node.Line, reader.Node.Column, "", IsPlain: true, 0), limit);
    }

    private LimitRate? ReadRate(YamlNode? value, string key)
    {
        if (value is null)
        {
            return null;
        }

        var reader = new MappingReader(value, $"`{key}`", _faults);
        if (!reader.IsMapping)
        {
            return null;
        }

        var count = reader.Integer("count", 1, MaxCount);
        var per = reader.Duration(reader.Need("per"), "per", LongestWindow);
        reader.Finish($"`{key}`");
        return new(count, per ?? LongestWindow);
    }

    private (TimeSpan? QuarantineFor, ApprovalClause? Challenge) ReadBreach(YamlNode? value)
    {
        switch (value)
        {
            case null or YamlScalar { Text: "deny" }:
                return (null, null);
            case YamlScalar { Text: "challenge" }:
                return (null, ApprovalClause.OfOwner);
            case YamlMapping:
                var reader = new MappingReader(value, "`onBreach`", _faults);
                if (reader.Find("challenge") is { } asks)
                {
                    var clause = new ApprovalReader(draft).ReadOfLimit(asks);
                    reader.Finish("`onBreach` with `challenge`");
                    return (null, clause);
                }

                reader.Choice("quarantine", absent: (bool?)null, ("instance", true));
                var lasts = reader.Duration(reader.Need("for"), "for", LongestQuarantine);
                reader.Finish("`onBreach`");
                return (lasts ?? LongestQuarantine, null);
            default:
                _faults.Add(
                    value,
                    "`onBreach` must be deny, challenge, { challenge: { approvers: […], expiresAfter: 30m } }, or "
                        + "{ quarantine: instance, for: 15m }"
                );
                return (null, null);
        }
    }
}
