namespace CredBroker.UnitTests.Audit;

/// <summary>
/// The verified samples: for each type of audit event a file in <c>Samples</c> with the records that a broker writes of
/// it, a line each. Who reads the log relies on them, and so do logs that exist: a line that changes is a change of the
/// format.
/// </summary>
public sealed class AuditEventCatalogueTests
{
    private static readonly string Samples = Path.Combine(AppContext.BaseDirectory, "Audit", "Samples");
    private static readonly string Written = Path.Combine(AppContext.BaseDirectory, "Audit", "Written");

    [Fact]
    public async Task A_broker_writes_exactly_the_samples()
    {
        var written = await AuditScenario.RunAsync();

        // For whoever adds an event: what was written, in the form of the samples.
        Directory.CreateDirectory(Written);
        foreach (var (type, lines) in written)
        {
            await File.WriteAllLinesAsync(Path.Combine(Written, type + ".jsonl"), lines);
        }

        Assert.Equal(Names(), written.Keys);
        Assert.All(
            written,
            type => Assert.Equal(File.ReadAllLines(Path.Combine(Samples, type.Key + ".jsonl")), type.Value)
        );
    }

    private static IEnumerable<string?> Names() =>
        Directory.EnumerateFiles(Samples).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal);
}
