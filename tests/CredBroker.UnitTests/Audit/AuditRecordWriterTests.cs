using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Text;
using CredBroker.Testing.Audit;

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
                What = new TestFact("lease.issued", WriteDetails),
                Actor = new("workload", "https://idp.example", "sub", "i-1"),
                LeaseId = "l",
                DecisionId = "d",
                RevocationId = "r",
                Process = "p",
                TaskId = "t",
                Credential = "c",
                Reason = "why",
                TraceId = "trace",
            }
        );
        Assert.Equal(
            $$"""{"v":1,"stream":"{{Stream}}","seq":3"""
                + $$""","time":"2026-03-01T12:00:00.007Z","previous":"{{AuditPosition.NoHash}}","type":"lease.issued","actor":"""
                + """{"kind":"workload","issuer":"https://idp.example","subject":"sub","instance":"i-1"}"""
                + ""","lease":"l","decision":"d","revocation":"r","process":"p","task":"t","credential":"c","reason":"why","""
                + "\"trace\":\"trace\",\"details\":{\"a\":[1,2]}}",
            Encoding.UTF8.GetString(record)
        );
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(record)), AuditRecordWriter.Hash(record));
    }

    [Theory]
    [InlineData("請求書を分類する", "請求書を分類する")]
    [InlineData("O'Neill & <Söhne> +", "O'Neill & <Söhne> +")]
    [InlineData("😀", """\ud83d\ude00""")]
    [InlineData("say \"yes\" \\", """say \"yes\" \\""")]
    [InlineData("a\nb\u2028c\u0085", """a\nb\u2028c\u0085""")]
    [InlineData("admin\u202Egnp\u200B \uDB40\uDC41", """admin\u202egnp\u200b \udb40\udc41""")]
    [InlineData("pay\u3164\u115F\u1160\uFFA0\u034F\u2800", """pay\u3164\u115f\u1160\uffa0\u034f\u2800""")]
    [InlineData("a\uFE00\uFE0F\uDB40\uDD00", """a\ufe00\ufe0f\udb40\udd00""")]
    [InlineData("\u180B\u180C\u180D\u180E\u180F\u17B4\u17B5", """\u180b\u180c\u180d\u180e\u180f\u17b4\u17b5""")]
    [InlineData("a\u00A0b\u3000c d", """a\u00a0b\u3000c d""")]
    public void Text_is_written_as_it_is_but_for_what_hides_or_ends_a_line(string text, string written)
    {
        var record = Seal(Event(new TestFact("x")) with { Reason = text });
        Assert.EndsWith(
            $"\"reason\":\"{written}\"}}",
            Encoding.UTF8.GetString(record),
            StringComparison.OrdinalIgnoreCase
        );
        Assert.Equal(text, JsonElement.Parse(record).GetProperty("reason").GetString());
    }

    [Fact]
    public void What_is_not_set_is_not_written() =>
        Assert.Equal(
            ["v", "stream", "seq", "time", "previous", "type", "actor"],
            JsonDocument
                .Parse(Seal(Event(new TestFact("x"))))
                .RootElement.EnumerateObject()
                .Select(member => member.Name)
        );

    [Fact]
    public void Its_header_is_read_back()
    {
        var header = AuditRecordHeader.Read(Seal(Event(new TestFact("x"))));
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
                What = new TestFact(text),
                Actor = new(text, text, text, text),
                Reason = text,
            }
        );
        Assert.DoesNotContain((byte)'\n', record);
        var expected = text == "\ud800" ? "\ufffd" : text;
        Assert.Equal(expected, JsonDocument.Parse(record).RootElement.GetProperty("reason").GetString());
    }

    [Fact]
    public void Arguments_over_several_lines_become_one()
    {
        var arguments = JsonDocument.Parse("\n{\r\n\"a\":\n1.50}\n").RootElement;
        var record = Seal(Event(new OutcomeReported { Summary = "s", ToolCall = new("t", arguments) }));
        Assert.Contains(""","arguments":{"a":1.50},""", Encoding.UTF8.GetString(record), StringComparison.Ordinal);
    }

    public static TheoryData<string, Action<Utf8JsonWriter>> Malformed() =>
        new()
        {
            { "a value without a name", json => json.WriteNumberValue(1) },
            { "an array without a name", json => json.WriteStartArray() },
            { "a name without a value", json => json.WritePropertyName("a") },
            { "an object that stays open", json => json.WriteStartObject("a") },
            { "two objects that stay open", json => Open(json, 2) },
            { "an array that stays open", json => json.WriteStartArray("a") },
            { "the end of the details", json => json.WriteEndObject() },
            { "a member of the record", json => Escape(json, 1) },
            { "the end of the record", json => Escape(json, 2) },
            { "raw text that is no value", json => Raw(json, "}{"u8, isChecked: true) },
            { "a line feed within a string", json => Raw(json, "\"\n\""u8, isChecked: false) },
            { "a line feed beside a value", json => Raw(json, "\n1"u8, isChecked: false) },
            { "bytes that are not UTF-8", json => Raw(json, [(byte)'"', 0xff, (byte)'"'], isChecked: false) },
        };

    [Theory]
    [MemberData(nameof(Malformed), DisableDiscoveryEnumeration = true)]
    public void Details_that_are_not_members_on_one_line_are_refused(string what, Action<Utf8JsonWriter> write)
    {
        Assert.NotEmpty(what);
        Assert.Throws<ArgumentException>(() => AuditRecordWriter.WriteBody(Event(new TestFact("x", write))));
    }

    [Fact]
    public void A_record_that_no_reader_would_take_is_refused() =>
        Assert.Throws<ArgumentException>(() =>
            AuditRecordWriter.WriteBody(
                Event(new TestFact("x")) with
                {
                    Reason = new('x', AuditRecordWriter.MaxRecordBytes),
                }
            )
        );

    [Fact]
    public void Nor_is_one_that_becomes_longer_by_what_is_escaped_in_it()
    {
        var hidden = Event(new TestFact("x")) with { Reason = new('\u3164', AuditRecordWriter.MaxRecordBytes / 6) };
        Assert.Throws<ArgumentException>(() => AuditRecordWriter.WriteBody(hidden));
        var shorter = hidden with { Reason = new('\u3164', AuditRecordWriter.MaxRecordBytes / 7) };
        Assert.InRange(Seal(shorter).Length, 1, AuditRecordWriter.MaxRecordBytes);
    }

    [Fact]
    public void Nothing_is_left_as_it_is_that_a_name_may_not_hold()
    {
        for (var value = 0x80; value <= 0x10FFFF; value++)
        {
            if (Rune.TryCreate(value, out var rune) && !VisibleText.IsIn(rune.ToString()))
            {
                var record = Seal(Event(new TestFact("x")) with { Reason = rune.ToString() });
                Assert.True(Ascii.IsValid(record), $"U+{value:X4}");
            }
        }
    }

    private static AuditEvent Event(AuditFact what) => new() { What = what, Actor = AuditActor.Broker("job") };

    private static void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteStartArray("a");
        json.WriteNumberValue(1);
        json.WriteNumberValue(2);
        json.WriteEndArray();
    }

    private static void Open(Utf8JsonWriter json, int objects)
    {
        for (var i = 0; i < objects; i++)
        {
            json.WriteStartObject("a");
        }
    }

    private static void Escape(Utf8JsonWriter json, int objects)
    {
        for (var i = 0; i < objects; i++)
        {
            json.WriteEndObject();
        }

        if (objects == 1)
        {
            json.WriteNumber("seq", 4);
        }
    }

    private static void Raw(Utf8JsonWriter json, ReadOnlySpan<byte> value, bool isChecked)
    {
        json.WritePropertyName("a");
        json.WriteRawValue(value, skipInputValidation: !isChecked);
    }

    private static byte[] Seal(AuditEvent auditEvent) =>
        AuditRecordWriter.Seal(Stream, 3, Time, AuditPosition.NoHash, AuditRecordWriter.WriteBody(auditEvent));
}
