using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.Cel;
using CredBroker.Cel.Nodes;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Policy.Linting;

namespace CredBroker.UnitTests.Policy;

/// <summary>The reference that ships says everything that a document may say, and nothing else.</summary>
public sealed partial class PolicyReferenceTests
{
    private static readonly string Reference = PolicyManual.ReadReference();

    [Fact]
    public void Every_key_and_every_word_of_the_schema_is_in_the_reference()
    {
        var words = CodeSpan()
            .Matches(Reference)
            .SelectMany(span => Word().Matches(span.Value))
            .Select(word => word.Value)
            .ToHashSet(StringComparer.Ordinal);

        Assert.Empty(WordsOf(JsonElement.Parse(PolicyManual.ReadSchema())).Distinct().Except(words));
    }

    [Fact]
    public void Every_name_that_a_condition_may_read_stands_in_the_table_with_its_type_and_no_other_does() =>
        Assert.Equal(
            PolicyRoots
                .Rule.Paths.Select(path => $"`{path}` {WrittenAs(PolicyRoots.Rule.Find(path)!.Type)}")
                .Order(StringComparer.Ordinal),
            NameRow()
                .Matches(Section("### Names"))
                .Select(row => $"`{row.Groups["name"].Value}` {row.Groups["type"].Value}")
                .Order(StringComparer.Ordinal)
        );

    [Fact]
    public void Every_function_of_conditions_stands_in_the_table_and_no_other_does()
    {
        var spans = CodeSpan().Matches(Section("### Functions")).Select(span => span.Value).ToList();

        Assert.Equal(
            CelFunctions.Names(isMethod: false).Distinct().Order(StringComparer.Ordinal),
            Called(spans, FunctionCall()).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            CelFunctions.Names(isMethod: true).Distinct().Order(StringComparer.Ordinal),
            Called(spans, MethodCall()).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Every_type_is_named()
    {
        var types = Section("### Types");

        Assert.All(
            Enum.GetValues<CelKind>().Except([CelKind.Error]),
            kind => Assert.Contains($"`{CelType.NameOf(kind)}`", types, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Its_example_is_a_policy_without_faults_and_warnings()
    {
        var example = Example().Match(Reference).Groups["yaml"].Value;

        Assert.Empty(PolicyCompiler.Compile(new() { Name = "example", Text = example }).Faults);
        Assert.Empty(PolicyLint.Check(new() { Name = "example", Text = example }));
    }

    private static string WrittenAs(CelType type) => type == CelType.Duration ? "duration" : $"{type}";

    private static string Section(string heading)
    {
        var from = Reference.IndexOf($"\n{heading}\n", StringComparison.Ordinal);
        Assert.True(from >= 0, $"There is no {heading}.");
        var rest = Reference[(from + heading.Length + 2)..];
        var to = rest.IndexOf("\n##", StringComparison.Ordinal);
        return to < 0 ? rest : rest[..to];
    }

    private static IEnumerable<string> Called(List<string> spans, Regex call) =>
        spans.SelectMany(span => call.Matches(span)).Select(match => match.Groups["name"].Value).Distinct();

    /// <summary>Names of members and the words that they take.</summary>
    private static IEnumerable<string> WordsOf(JsonElement schema)
    {
        if (schema.ValueKind != JsonValueKind.Object)
        {
            yield break;
        }

        foreach (var member in schema.EnumerateObject())
        {
            if (member.Name == "properties")
            {
                foreach (var property in member.Value.EnumerateObject())
                {
                    yield return property.Name;
                    foreach (var word in WordsOf(property.Value))
                    {
                        yield return word;
                    }
                }
            }
            else if (member.Name == "enum")
            {
                foreach (var word in member.Value.EnumerateArray())
                {
                    yield return word.GetString()!;
                }
            }
            else
            {
                foreach (var word in WordsOf(member.Value))
                {
                    yield return word;
                }
            }
        }
    }

    [GeneratedRegex("`[^`\n]+`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex("[A-Za-z][A-Za-z0-9-]*")]
    private static partial Regex Word();

    [GeneratedRegex(@"^\| `(?<name>[A-Za-z.]+)` \| (?<type>[^|]+) \|", RegexOptions.Multiline)]
    private static partial Regex NameRow();

    [GeneratedRegex(@"(?<![.\w])(?<name>\w+)\(")]
    private static partial Regex FunctionCall();

    [GeneratedRegex(@"\.(?<name>\w+)\(")]
    private static partial Regex MethodCall();

    [GeneratedRegex("```yaml\n(?<yaml>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
