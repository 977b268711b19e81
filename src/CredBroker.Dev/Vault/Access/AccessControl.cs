namespace CredBroker.Dev.Vault.Access;

/// <summary>
/// What a token's policies together permit on a path. Rules of the same pattern add up, and deny wins; of the patterns
/// that match only the most specific one counts.
/// </summary>
internal sealed class AccessControl
{
    private readonly Dictionary<string, PathRule> _rules = new(StringComparer.Ordinal);

    public AccessControl(IEnumerable<AclPolicy> policies)
    {
        foreach (var (path, rule) in policies.SelectMany(policy => policy.Rules))
        {
            _rules[path] = PathRule.Merge(_rules.GetValueOrDefault(path), rule);
        }
    }

    /// <summary>
    /// The rule that counts on a path; one that permits nothing where none matches or the one that counts denies. A
    /// listing may also match a rule without the closing slash.
    /// </summary>
    public PathRule On(string path, bool listing)
    {
        if (!_rules.TryGetValue(path, out var rule) && !(listing && _rules.TryGetValue(path.TrimEnd('/'), out rule)))
        {
            var best = _rules
                .Keys.Where(pattern => Matches(pattern, path))
                .Aggregate((string?)null, (best, pattern) => best is null || Outranks(pattern, best) ? pattern : best);
            rule = best is null ? PathRule.Nothing : _rules[best];
        }

        return rule.Capabilities.HasFlag(Capabilities.Deny) ? PathRule.Nothing : rule;
    }

    /// <summary>
    /// Whether a rule reaches into a mount: one below it that permits something, or one with a wildcard that may match
    /// below it, whatever it says, as Vault has it.
    /// </summary>
    public bool Reaches(string mount) =>
        _rules.Any(rule =>
            rule.Key.Split('/').Contains("+")
                ? Begins(rule.Key, mount)
                : (rule.Key.EndsWith('*') && mount.StartsWith(rule.Key[..^1], StringComparison.Ordinal))
                    || (
                        rule.Key.StartsWith(mount, StringComparison.Ordinal)
                        && rule.Value.Capabilities is not Capabilities.None
                        && !rule.Value.Capabilities.HasFlag(Capabilities.Deny)
                    )
        );

    private static bool Begins(string pattern, string mount)
    {
        var (wanted, actual) = (pattern.Split('/'), mount.TrimEnd('/').Split('/'));
        return Matches(string.Join('/', wanted.Take(actual.Length)), string.Join('/', actual));
    }

    /// <summary><c>*</c> at the end stands for anything, <c>+</c> for one whole segment.</summary>
    private static bool Matches(string pattern, string path)
    {
        var open = pattern.EndsWith('*');
        var (wanted, actual) = ((open ? pattern[..^1] : pattern).Split('/'), path.Split('/'));
        if (actual.Length < wanted.Length || (!open && actual.Length != wanted.Length))
        {
            return false;
        }

        for (var i = 0; i < wanted.Length; i++)
        {
            var last = open && i == wanted.Length - 1;
            if (
                wanted[i] != "+"
                && !(last ? actual[i].StartsWith(wanted[i], StringComparison.Ordinal) : wanted[i] == actual[i])
            )
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Vault's order: the later first wildcard, then no <c>*</c> at the end, then fewer <c>+</c>, then the longer, then
    /// the greater text.
    /// </summary>
    private static bool Outranks(string one, string other)
    {
        var rank = FirstWildcard(one).CompareTo(FirstWildcard(other));
        rank = rank != 0 ? rank : other.EndsWith('*').CompareTo(one.EndsWith('*'));
        rank = rank != 0 ? rank : Segments(other).CompareTo(Segments(one));
        rank = rank != 0 ? rank : one.Length.CompareTo(other.Length);
        return (rank != 0 ? rank : string.CompareOrdinal(one, other)) > 0;
    }

    private static int FirstWildcard(string pattern)
    {
        var position = 0;
        foreach (var segment in pattern.Split('/'))
        {
            if (segment == "+")
            {
                return position;
            }

            position += segment.Length + 1;
        }

        return pattern.EndsWith('*') ? pattern.Length - 1 : int.MaxValue;
    }

    private static int Segments(string pattern) => pattern.Split('/').Count(segment => segment == "+");
}
