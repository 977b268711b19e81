using System.Text.RegularExpressions;
using CredBroker.Cel;
using CredBroker.Cel.Patterns;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Policy.Linting;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace CredBroker.UnitTests.Policy;

/// <summary>
/// Whatever the text, there is a policy or there are faults with places, never an exception; whatever the condition,
/// there is a value or an error.
/// </summary>
public sealed class PolicyFuzzTests
{
    private static readonly string[] Pieces =
    [
        "agent",
        "identity",
        ".issuer",
        ".claims",
        ".azp",
        "toolCall.arguments",
        "request.actions",
        "credential.name",
        "context.gate",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "?",
        ":",
        ",",
        ".",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "in",
        "true",
        "false",
        "null",
        "0",
        "1",
        "9223372036854775807",
        "1u",
        "1.5",
        "1e9",
        "0x1F",
        "\"a\"",
        "'b'",
        "r\"\\d\"",
        "b'\\xff'",
        "'''c'''",
        "size(",
        "has(",
        "string(",
        "int(",
        "duration(\"1h\")",
        ".startsWith(",
        ".matches(\"^a+$\")",
        ".matches(",
        ".all(x, ",
        ".exists(x, x",
        ".map(x, x",
        ".filter(x, ",
        "x",
        "`q`",
        "//",
        "\n",
        " ",
        "\\",
        "\"",
        "'",
        "é",
        "😀",
        "\ud800",
    ];

    private static readonly string[] Lines =
    [
        "apiVersion: credbroker/v1",
        "agents:",
        "processes:",
        "credentials:",
        "rules:",
        "limits:",
        "  a: { member: 'true' }",
        "  p:",
        "    agents: [a]",
        "    owner: {}",
        "  - id: r",
        "    effect: allow",
        "    when: agent == \"a\"",
        "    when: >",
        "      x &&",
        "    vault: { engine: kv, mount: m, path: p }",
        "    vault:",
        "      engine: pki",
        "    names: {}",
        "    toolSchemas: { t: x.json }",
        "    maxTtl: 1m",
        "---",
        "...",
        "&a b",
        "*a",
        "!!x y",
        "? k",
        ": v",
        "- ",
        "  ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "|",
        ">",
        "#",
        "%YAML 1.1",
        "\t",
        "\0",
        "\ud800",
        "<<: *a",
        "a: a",
        "a: a",
        "\u2028",
        "\ufeff",
    ];

    private static readonly Arbitrary<string> Conditions = Gen.Elements(Pieces)
        .ArrayOf()
        .Select(pieces => string.Concat(pieces))
        .ToArbitrary();

    private static readonly Arbitrary<string> Documents = Gen.Elements(Lines)
        .ArrayOf()
        .Select(lines => string.Join('\n', lines))
        .ToArbitrary();

    [Property(MaxTest = 2_000)]
    public Property A_condition_of_random_pieces_never_throws() => Prop.ForAll(Conditions, CompileAndRun);

    [Property(MaxTest = 500)]
    public bool A_condition_of_random_characters_never_throws(string? text) => CompileAndRun(text ?? "");

    [Property(MaxTest = 1_000)]
    public Property A_document_of_random_lines_never_throws() => Prop.ForAll(Documents, Compiles);

    [Property(MaxTest = 500)]
    public bool A_document_of_random_characters_never_throws(string? text) => Compiles(text ?? "");

    /// <summary>The sample with a piece cut out, doubled or replaced: closer to what editors really save.</summary>
    [Property(MaxTest = 1_000)]
    public bool A_damaged_sample_never_throws(NonNegativeInt at, NonNegativeInt length, string? inserted)
    {
        var start = at.Get * 37 % Samples.Text.Length;
        var end = Math.Min(Samples.Text.Length, start + (length.Get % 200));
        return Compiles(Samples.Text[..start] + inserted + Samples.Text[end..])
            && Compiles(Samples.Text[..end] + Samples.Text[start..]);
    }

    [Property(MaxTest = 500)]
    public bool A_pattern_of_random_characters_never_throws(string? text) =>
        SafePattern.TryCompile(text ?? "", out _, out _) || true;

    [Property(MaxTest = 500)]
    public bool A_schema_of_random_characters_never_throws(string? text) =>
        ArgumentSchema.Load(text ?? "", new List<string>()) is null || text is not null;

    private static bool CompileAndRun(string source)
    {
        var faults = new List<CelFault>();
        foreach (var isChecked in new[] { true, false })
        {
            var program = CelProgram.Compile(source, PolicyRoots.Rule, faults, isChecked);
            if (program is null)
            {
                Assert.NotEmpty(faults);
                Assert.All(faults, fault => Assert.InRange(fault.Offset, 0, source.Length));
                continue;
            }

            var inputs = new PolicyInputs(Samples.Payer, program.Locals)
            {
                Task = Samples.PaymentTask,
                Request = Samples.Transfer,
                Process = new()
                {
                    Name = "p",
                    ToleratesRuntimeAction = true,
                    Agents = [],
                },
                Credential = new(
                    Samples.Policy().Credentials["payments-api-key"],
                    null,
                    toolCallIsOptional: false,
                    new Dictionary<string, Regex>()
                ),
                FailedGate = CelValue.OfTexts([]),
            };
            program.Run(inputs);
        }

        return true;
    }

    private static bool Compiles(string text)
    {
        var compilation = PolicyCompiler.Compile(Samples.Document(text));
        var lines = text.Split('\n').Length;
        Assert.Equal(compilation.Set is null, compilation.Faults.Count > 0);
        Assert.All(compilation.Faults, fault => Assert.InRange(fault.Line, 0, text.Length + 1));
        PolicyLint.Check(Samples.Document(text));
        return lines > 0;
    }
}
