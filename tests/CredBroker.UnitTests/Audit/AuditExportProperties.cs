using CredBroker.Core.Audit;
using CredBroker.Testing.Audit;
using FsCheck;
using FsCheck.Xunit;

namespace CredBroker.UnitTests.Audit;

public sealed class AuditExportProperties
{
    [Property(MaxTest = 200)]
    public bool Whatever_texts_the_events_carry_the_export_verifies(List<(string? Reason, string? Subject)> texts) =>
        VerifyAsync(Log(texts)).GetAwaiter().GetResult() is { Holds: true } result && result.Records == texts.Count + 1;

    [Property(MaxTest = 300)]
    public bool A_single_altered_byte_is_found(
        List<(string? Reason, string? Subject)> texts,
        PositiveInt position,
        PositiveInt change
    )
    {
        var export = Log(texts).ExportAsync().GetAwaiter().GetResult();
        var at = position.Get % export.Length;
        export[at] ^= (byte)(change.Get % 255 + 1);
        return !AuditVerifierTests.VerifyAsync(export).AsTask().GetAwaiter().GetResult().Holds;
    }

    [Property(MaxTest = 300)]
    public bool Bytes_of_any_kind_never_verify_and_never_throw(byte[] bytes) =>
        !AuditVerifierTests.VerifyAsync(bytes).AsTask().GetAwaiter().GetResult().Holds;

    [Fact]
    public async Task Every_byte_of_an_export_counts()
    {
        var export = await ChainedLog.Sample().ExportAsync();
        for (var at = 0; at < export.Length; at++)
        {
            export[at] ^= 1;
            Assert.False((await AuditVerifierTests.VerifyAsync(export)).Holds, $"A change of byte {at} was not found.");
            export[at] ^= 1;
        }
    }

    private static async Task<AuditVerification> VerifyAsync(ChainedLog log) =>
        await AuditVerifierTests.VerifyAsync(await log.ExportAsync(), log.Head);

    private static ChainedLog Log(List<(string? Reason, string? Subject)> texts)
    {
        var log = new ChainedLog().Open(1);
        foreach (var (reason, subject) in texts)
        {
            log.Append(
                new()
                {
                    What = new TestFact("test.event"),
                    Actor = AuditActor.Broker(subject ?? ""),
                    Reason = reason,
                }
            );
        }

        return log;
    }
}
