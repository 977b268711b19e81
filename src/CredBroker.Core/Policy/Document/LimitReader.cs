namespace CredBroker.Core.Policy.Document;

/// <summary>Reads the policy's <c>limits</c>.</summary>
internal sealed class LimitReader(PolicyFaultList faults)
{
    // Each opening of a lease is counted by all of them.
    private const int MaxLimits = 20;
    private const int MaxActive = 1_000_000;

    // What is counted within a window is a row each until it has left it.
    private const int MaxCount = 10_000;
    private static readonly TimeSpan LongestWindow = TimeSpan.FromDays(7);
    private static readonly TimeSpan LongestQuarantine = TimeSpan.FromDays(7);

    public IReadOnlyList<LimitDraft> Read(YamlNode? value)
    {
        if (value is not null and not YamlSequence)
        {
            faults.Add(value, $"`limits` must be a list, not {value.Kind}");
        }

        var limits = new List<LimitDraft>();
        foreach (var item in (value as YamlSequence)?.Items ?? [])
        {
            var reader = new MappingReader(item, "a limit", faults);
            if (!reader.IsMapping)
            {
                continue;
            }

            if (limits.Count == MaxLimits)
            {
                faults.Add(item, $"there are more than {MaxLimits} limits, and each is compared with every lease");
                break;
            }

            var limit = ReadLimit(reader);
            if (limits.Exists(earlier => earlier.Limit.Id == limit.Limit.Id) && limit.Limit.Id.Length > 0)
            {
                faults.Add(limit.Id, $"the id `{limit.Limit.Id}` belongs to an earlier limit");
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
            PolicyName.Check(id, faults);
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
        var limit = new PolicyLimit
        {
            Id = id?.Text ?? "",
            Per = per,
            MaxActive = maxActive,
            MaxIssued = ReadRate(issuedAt, "maxIssued"),
            MaxDenied = ReadRate(deniedAt, "maxDenied"),
            QuarantineFor = ReadBreach(reader.Find("onBreach")),
        };
        if (reader.Find("maxActive") is null && issuedAt is null && deniedAt is null)
        {
            faults.Add(reader.Node, "a limit needs one of `maxActive`, `maxIssued` and `maxDenied`");
        }

        // Whoever may ask for a process could otherwise be denied until others are stopped.
        if (deniedAt is not null && per is not (LimitScope.Instance or LimitScope.Workload))
        {
            faults.Add(
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

        var reader = new MappingReader(value, $"`{key}`", faults);
        if (!reader.IsMapping)
        {
            return null;
        }

        var count = reader.Integer("count", 1, MaxCount);
        var per = reader.Duration(reader.Need("per"), "per", LongestWindow);
        reader.Finish($"`{key}`");
        return new(count, per ?? LongestWindow);
    }

    private TimeSpan? ReadBreach(YamlNode? value)
    {
        switch (value)
        {
            case null or YamlScalar { Text: "deny" }:
                return null;
            case YamlScalar { Text: "challenge" }:
                faults.Add(value, "not supported by this version yet: `onBreach: challenge`");
                return null;
            case YamlMapping:
                var reader = new MappingReader(value, "`onBreach`", faults);
                reader.Choice("quarantine", absent: (bool?)null, ("instance", true));
                var lasts = reader.Duration(reader.Need("for"), "for", LongestQuarantine);
                reader.Finish("`onBreach`");
                return lasts ?? LongestQuarantine;
            default:
                faults.Add(value, "`onBreach` must be deny, or { quarantine: instance, for: 15m }");
                return null;
        }
    }
}
