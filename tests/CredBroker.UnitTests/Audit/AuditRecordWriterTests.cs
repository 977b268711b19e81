using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Audit;

namespace CredBroker.UnitTests.Audit;

public sealed class AuditRecordWriterTests
{
    private const string Stream = "0195f6d0c0007000800000000000000a";
    private static readonly DateTimeOffset Time = new(2026, 3, 1, 14, 0, 0, 7, TimeSpan.FromHours(2));

    [Fact]
    public void A_record_is_exactly_these_bytes()
    {
        var record = Seal(
            new()
            {
                Type = AuditEventTypes.LeaseIssued,
                Actor = new("workload", "https://idp.example", "sub", "i-1"),
                LeaseId = "l",
                DecisionId = "d",
                RevocationId = "r",
                Process = "p",
                TaskId = "t",
                Credential = "c",
                Reason = "why",
                TraceId = "trace",
                Details = """{"a": [1,2] }"""u8.ToArray(),
            }
        );
        Assert.Equal(
            $$"""{"v":1,"stream":"{{Stream}}","seq":3"""
                + $$""","time":"2026-03-01T12:00:00.007Z","previous":"{{AuditPosition.NoHash}}","type":"lease.issued","actor":"""
                + """{"kind":"workload","issuer":"https://idp.example","subject":"sub","instance":"i-1"}"""
                + ""","lease":"l","decision":"d","revocation":"r","process":"p","task":"t","credential":"c","reason":"why","""
                + "\"trace\":\"trace\",\"details\":{\"a\": [1,2] }}",
            Encoding.UTF8.GetString(record)
        );
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(record)), AuditRecordWriter.Hash(record));
    }

    [Fact]
    public void What_is_not_set_is_not_written() =>
        Assert.Equal(
            ["v", "stream", "seq", "time", "previous", "type", "actor"],
            JsonDocument
                .Parse(Seal(new() { Type = "x", Actor = AuditActor.Broker("job") }))
                .RootElement.EnumerateObject()
                .Select(member => member.Name)
        );

    [Fact]
    public void Its_header_is_read_back()
    {
        var header = AuditRecordHeader.Read(Seal(new() { Type = "x", Actor = AuditActor.Broker("job") }));
        Assert.Equal(new AuditRecordHeader(Stream, 3, Time.ToUniversalTime(), AuditPosition.NoHash, "x"), header);
    }

    [Theory]
    [InlineData("\u0000")]
    [InlineData("\ud800")]
    [InlineData("line\nfeed\r\u2028")]
    [InlineData("\"}\\")]
    [InlineData("エージェント 🙂 ñ")]
    public void Any_text_stays_on_one_line_of_valid_json(string text)
    {
        var record = Seal(
            new()
            {
                Type = text,
                Actor = new(text, text, text, text),
                Reason = text,
            }
        );
        Assert.DoesNotContain((byte)'\n', record);
        var expected = text == "\ud800" ? "\ufffd" : text;
        Assert.Equal(expected, JsonDocument.Parse(record).RootElement.GetProperty("reason").GetString());
    }

    [Fact]
    public void Details_over_several_lines_become_one()
    {
        var record = Seal(
            new()
            {
                Type = "x",
                Actor = AuditActor.Broker("job"),
                Details = "\n{\r\n\"a\":\n1.50}\n"u8.ToArray(),
            }
        );
        Assert.EndsWith("""details":{"a":1.50}}""", Encoding.UTF8.GetString(record), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("1")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("{\"a\":1},\"seq\":4")]
    [InlineData("{}\n{}")]
    [InlineData("{\"a\":\"\n\"}")]
    public void Details_that_are_no_json_object_are_refused(string details) =>
        Assert.Throws<ArgumentException>(() =>
            AuditRecordWriter.WriteBody(
                new()
                {
                    Type = "x",
                    Actor = AuditActor.Broker("job"),
                    Details = Encoding.UTF8.GetBytes(details),
                }
            )
        );

    [Fact]
    public void Details_that_are_not_utf8_are_refused() =>
        Assert.Throws<ArgumentException>(() =>
            AuditRecordWriter.WriteBody(
                new()
                {
                    Type = "x",
                    Actor = AuditActor.Broker("job"),
                    Details = new byte[] { (byte)'{', (byte)'"', 0xff, (byte)'"', (byte)':', (byte)'1', (byte)'}' },
                }
            )
        );

    [Fact]
    public void A_record_that_no_reader_would_take_is_refused() =>
        Assert.Throws<ArgumentException>(() =>
            AuditRecordWriter.WriteBody(
                new()
                {
                    Type = "x",
                    Actor = AuditActor.Broker("job"),
                    Reason = new('x', AuditRecordWriter.MaxRecordBytes),
                }
            )
        );

    private static byte[] Seal(AuditEvent auditEvent) =>
        AuditRecordWriter.Seal(Stream, 3, Time, AuditPosition.NoHash, AuditRecordWriter.WriteBody(auditEvent));
}
