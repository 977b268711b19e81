using CredBroker.Cel.Patterns;

namespace CredBroker.UnitTests.Cel;

/// <summary>Patterns mean what RE2 says, and what could mean something else here is refused.</summary>
public sealed class SafePatternTests
{
    [Theory]
    [InlineData("^a$", "a", true)]
    [InlineData("^a$", "a\n", false)]
    [InlineData("^a$", "b\na", false)]
    [InlineData("a|b$", "xb", true)]
    [InlineData("^\\d+$", "42", true)]
    [InlineData("^\\d+$", "٤٢", false)]
    [InlineData("^\\w+$", "é", false)]
    [InlineData("^\\s$", "\u00a0", false)]
    [InlineData("^[\\d_]+$", "4_2", true)]
    [InlineData("^[^\\d]$", "٤", true)]
    [InlineData("^\\D\\W\\S$", "a.b", true)]
    [InlineData("^.$", "\n", false)]
    [InlineData("^(?:ab|c){2,3}$", "abcab", true)]
    [InlineData("^a+?b*?c??$", "aab", true)]
    [InlineData("(?i)^abc$", "ABC", true)]
    [InlineData("^[a-c-]+$", "a-c", true)]
    [InlineData("^[-a]+$", "-a", true)]
    [InlineData("^a\\.b\\-c\\/d\\#$", "a.b-c/d#", true)]
    [InlineData("^a b#c$", "a b#c", true)]
    [InlineData("\\Aab\\z", "ab", true)]
    [InlineData("^😀{2}$", "😀😀", true)]
    [InlineData("^.$", "😀", true)]
    [InlineData("^..$", "😀", false)]
    [InlineData("^[^a]$", "😀", true)]
    [InlineData("^[^a]$", "a", false)]
    [InlineData("^\\D{2}$", "😀x", true)]
    [InlineData("^[^\\w.]$", ".", false)]
    [InlineData("^(?:😀|a)$", "😀", true)]
    [InlineData("a{0}b?", "", true)]
    [InlineData("", "anything", true)]
    public void A_pattern_matches_as_in_RE2(string pattern, string text, bool matches)
    {
        Assert.True(SafePattern.TryCompile(pattern, out var regex, out var fault), fault);
        Assert.Equal(matches, regex.IsMatch(text));
    }

    [Theory]
    [InlineData("(a", "a ( without its )")]
    [InlineData("a)", "a ) without its (")]
    [InlineData("[a", "a [ without its ]")]
    [InlineData("[]a]", "inside [ ] is written \\]")]
    [InlineData("[a[b]", "inside [ ] is written \\[")]
    [InlineData("[[:alpha:]]", "inside [ ] is written \\[")]
    [InlineData("[😀]", "beyond U+FFFF")]
    [InlineData("[a^b]", "inside [ ] is written \\^")]
    [InlineData("[a-z-[aeiou]]", "a - inside [ ]")]
    [InlineData("[z-a]", "not valid")]
    [InlineData("[a-\\d]", "not valid")]
    [InlineData("a**", "a repetition of a repetition")]
    [InlineData("*a", "stands where nothing can be repeated")]
    [InlineData("a{", "a repetition is {n}")]
    [InlineData("a{2,1}", "a repetition is {n}")]
    [InlineData("a{1001}", "up to 1000")]
    [InlineData("(?:(?:a{100}){100}){100}", "unroll to too much")]
    [InlineData("(?=a)", "of the groups that begin with (?")]
    [InlineData("(?<n>a)", "of the groups that begin with (?")]
    [InlineData("(?m)^a$", "of the groups that begin with (?")]
    [InlineData("a(?i)b", "of the groups that begin with (?")]
    [InlineData("(a)\\1", "the escape \\1 is not supported")]
    [InlineData("\\bword", "the escape \\b is not supported")]
    [InlineData("\\p{L}", "the escape \\p is not supported")]
    [InlineData("\\Za", "the escape \\Z is not supported")]
    [InlineData("\\", "ends in a \\")]
    public void What_means_something_else_here_or_costs_too_much_is_refused(string pattern, string message)
    {
        Assert.False(SafePattern.TryCompile(pattern, out _, out var fault));
        Assert.Contains(message, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Nested_groups_and_length_have_caps()
    {
        Assert.False(SafePattern.TryCompile(new string('(', 400) + new string(')', 400), out _, out var fault));
        Assert.Contains("nests too deep", fault, StringComparison.Ordinal);
        Assert.False(SafePattern.TryCompile(new string('a', 1_001), out _, out fault));
        Assert.Contains("at most 1000", fault, StringComparison.Ordinal);
    }
}
