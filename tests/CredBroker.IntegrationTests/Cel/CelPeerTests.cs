using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using CredBroker.Cel;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cel;

/// <summary>
/// Ten thousand random expressions mean the same to another implementation of CEL (npm <c>@bufbuild/cel</c>).
/// <c>CREDBROKER_TEST_EXPRESSIONS</c> has it try more. The cases leave out what the other one (0.6.1) gets wrong by the
/// specification or by upstream's cases: a timestamp of an int, a date that the calendar does not have, dates in another
/// zone in the hour after midnight and days of the year, fractions of seconds as text and below milliseconds, minus and
/// division at the edges of the integers, and a double of a text that is none.
/// </summary>
public sealed class CelPeerTests
{
    private const int Batch = 10_000;

    private static readonly int Batches = int.TryParse(
        Environment.GetEnvironmentVariable("CREDBROKER_TEST_EXPRESSIONS"),
        CultureInfo.InvariantCulture,
        out var count
    )
        ? count / Batch
        : 1;

    [Fact]
    public async Task Another_implementation_gives_the_same_answers()
    {
        var folder = Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "CelPeer");
        if (!Directory.Exists(Path.Combine(folder, "node_modules")))
        {
            Assert.Skip("@bufbuild/cel is not installed: npm ci in tests/CredBroker.IntegrationTests/CelPeer");
        }

        using var directory = new TemporaryFolder();
        var file = directory.File("expressions.json");
        for (var seed = 1; seed <= Batches; seed++)
        {
            var cases = new CelCases((ulong)seed);
            var expressions = Enumerable.Range(0, Batch).Select(_ => cases.Next()).ToList();
            await File.WriteAllTextAsync(
                file,
                JsonSerializer.Serialize(expressions),
                TestContext.Current.CancellationToken
            );
            var output = await ChildProcess.RunAsync("node", Path.Combine(folder, "peer.js"), file);
            var answers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

            Assert.Equal(expressions.Count, answers.Length);
            var differences = expressions
                .Zip(answers, (expression, peer) => (Expression: expression, Peer: peer, Own: Run(expression)))
                .Where(answer => answer.Peer != answer.Own)
                .Select(answer => $"{answer.Expression}: {answer.Own}, theirs {answer.Peer}")
                .ToList();
            Assert.True(differences.Count == 0, $"seed {seed}:\n{string.Join('\n', differences)}");
            // What fails says little, and must not be most of it.
            Assert.InRange(answers.Count(answer => answer == "error"), Batch / 100, Batch / 2);
        }
    }

    private static string Run(string expression)
    {
        var program = CelProgram.Compile(expression, new CelSchema(), new List<CelFault>(), checkTypes: false);
        var value = program?.Run(new Dictionary<string, CelValue>()) ?? CelValue.Fail("not compiled");
        return value switch
        {
            { Kind: CelKind.Bool } => value.IsTrue ? "bool true" : "bool false",
            { TryInt: { } number } => string.Create(CultureInfo.InvariantCulture, $"int {number}"),
            { TryUint: { } number } => string.Create(CultureInfo.InvariantCulture, $"uint {number}"),
            { TryDouble: { } number } => $"double {Hex(BitConverter.GetBytes(number))}",
            { TryString: { } text } => $"string {Hex(Encoding.UTF8.GetBytes(text))}",
            _ => "error",
        };
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
