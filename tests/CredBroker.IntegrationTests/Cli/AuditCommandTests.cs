using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Text;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>Exports over connections that break, files that were cut, and verifying offline.</summary>
public sealed class AuditCommandTests
{
    private const string Export = "GET /v1/audit/export";

    [Fact]
    public async Task An_export_is_written_to_standard_output_byte_for_byte()
    {
        await using var cli = await CliFixture.StartAsync();
        var log = new WrittenLog(5);
        cli.Broker.On(Export, log.AnswerAsync);

        var run = await cli.RunAsync("audit", "export", "--from", "2026-03-01", "--to", "2026-03-02T10:00:00+01:00");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(await log.ExportAsync(null), run.Out);
        Assert.Equal(
            "?format=jsonl&from=2026-03-01T00%3A00%3A00.000Z&to=2026-03-02T09%3A00%3A00.000Z",
            Assert.Single(cli.Broker.Calls).Query
        );
    }

    [Fact]
    public async Task A_connection_that_breaks_is_gone_on_with_and_the_file_verifies()
    {
        await using var cli = await CliFixture.StartAsync();
        var log = new WrittenLog(20) { BreakAfter = 7 };
        cli.Broker.On(Export, log.AnswerAsync);
        var file = Path.Combine(cli.Folder, "audit.jsonl");

        var run = await cli.RunAsync("audit", "export", "--out", file);

        Assert.Equal((0, ""), (run.ExitCode, run.Out));
        Assert.Contains("20 records written", run.Error, StringComparison.Ordinal);
        Assert.True(cli.Broker.Calls.Count >= 3, "the connection broke at least twice");
        Assert.Equal(0, (await cli.RunAsync("audit", "verify", file)).ExitCode);
    }

    [Fact]
    public async Task Without_any_progress_it_gives_up_and_says_how_to_go_on()
    {
        await using var cli = await CliFixture.StartAsync();
        var log = new WrittenLog(20) { BreakAfter = 0 };
        cli.Broker.On(Export, log.AnswerAsync);
        var file = Path.Combine(cli.Folder, "audit.jsonl");

        var broken = await cli.RunAsync("audit", "export", "--out", file);
        Assert.Equal(4, broken.ExitCode);
        Assert.Contains("--resume", broken.Error, StringComparison.Ordinal);

        log.BreakAfter = null;
        Assert.Equal(0, (await cli.RunAsync("audit", "export", "--out", file, "--resume")).ExitCode);
        Assert.Equal(0, (await cli.RunAsync("audit", "verify", file)).ExitCode);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(700)]
    [InlineData(1500)]
    public async Task A_file_that_was_cut_anywhere_is_gone_on_with_after_its_last_whole_record(int cut)
    {
        await using var cli = await CliFixture.StartAsync();
        var log = new WrittenLog(20);
        cli.Broker.On(Export, log.AnswerAsync);
        var file = Path.Combine(cli.Folder, "audit.jsonl");
        var whole = await log.ExportAsync(null);
        await File.WriteAllTextAsync(file, whole[..^cut]);
        Assert.Equal(5, (await cli.RunAsync("audit", "verify", file)).ExitCode);

        var run = await cli.RunAsync("audit", "export", "--out", file, "--resume");

        Assert.Equal(0, run.ExitCode);
        var verified = await cli.RunAsync("audit", "verify", file);
        Assert.Equal("", verified.ExitCode == 0 ? "" : verified.Out);
        Assert.Contains("OK: 20 records", verified.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_whole_file_is_added_to()
    {
        await using var cli = await CliFixture.StartAsync();
        var log = new WrittenLog(3);
        cli.Broker.On(Export, log.AnswerAsync);
        var file = Path.Combine(cli.Folder, "audit.jsonl");
        await cli.RunAsync("audit", "export", "--out", file);
        log.Add(2);

        var run = await cli.RunAsync("audit", "export", "--out", file, "--resume");

        Assert.Contains("2 records added", run.Error, StringComparison.Ordinal);
        Assert.Contains("OK: 5 records", (await cli.RunAsync("audit", "verify", file)).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_its_owner_may_read_an_export_and_one_that_was_open_to_others_is_closed_to_them()
    {
        const UnixFileMode own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        await using var cli = await CliFixture.StartAsync();
        var log = new WrittenLog(3);
        cli.Broker.On(Export, log.AnswerAsync);
        var file = Path.Combine(cli.Folder, "audit.jsonl");

        await cli.RunAsync("audit", "export", "--out", file);
        Assert.Equal(own, File.GetUnixFileMode(file));

        File.SetUnixFileMode(file, own | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        log.Add(1);
        Assert.Equal(0, (await cli.RunAsync("audit", "export", "--out", file, "--resume")).ExitCode);
        Assert.Equal(own, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task An_altered_event_is_named()
    {
        await using var cli = await CliFixture.StartAsync();
        var file = Path.Combine(cli.Folder, "audit.jsonl");
        await File.WriteAllTextAsync(
            file,
            (await new WrittenLog(9).ExportAsync(null)).Replace(
                "\"reason\":\"r-4\"",
                "\"reason\":\"r-X\"",
                StringComparison.Ordinal
            )
        );

        var run = await cli.RunAsync("audit", "verify", file);
        var json = await cli.RunAsync("audit", "verify", file, "--output", "json");

        Assert.Equal((5, 5), (run.ExitCode, json.ExitCode));
        Assert.StartsWith($"{file}:6: BROKEN at event 4 of stream", run.Out, StringComparison.Ordinal);
        Assert.Equal(
            (false, 4),
            (
                JsonDocument.Parse(json.Out).RootElement.GetProperty("holds").GetBoolean(),
                JsonDocument.Parse(json.Out).RootElement.GetProperty("fault").GetProperty("sequence").GetInt32()
            )
        );
    }

    [Fact]
    public async Task Verifying_says_first_what_the_file_holds_and_fails_where_more_was_demanded()
    {
        await using var cli = await CliFixture.StartAsync();
        var file = Path.Combine(cli.Folder, "audit.jsonl");
        await File.WriteAllTextAsync(file, await new WrittenLog(4).ExportAsync(null));

        var run = await cli.RunAsync("audit", "verify", file);
        Assert.StartsWith(
            "OK: 4 records from 2026-03-01T10:01:00Z to 2026-03-01T10:04:00Z, unaltered and without a gap. "
                + "It holds everything from the store's first record until it was made.",
            run.Out,
            StringComparison.Ordinal
        );
        Assert.Equal(
            0,
            (
                await cli.RunAsync("audit", "verify", file, "--from", "2026-01-01", "--to", "2026-03-01T10:04:00Z")
            ).ExitCode
        );
        var more = await cli.RunAsync("audit", "verify", file, "--to", "2026-03-02");
        Assert.Equal(5, more.ExitCode);
        Assert.Contains("BROKEN", more.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_lies_beside_the_JSON_Lines_in_which_no_cell_is_a_formula()
    {
        await using var cli = await CliFixture.StartAsync();
        var log = new WrittenLog(1);
        log.Write(
            new()
            {
                What = new AdminAction { Call = "test" },
                Actor = AuditActor.Broker("a,\"b\"\r\nc"),
                TaskId = "=HYPERLINK(1)",
                Reason = "-1",
            }
        );
        cli.Broker.On(Export, log.AnswerAsync);
        var (file, table) = (Path.Combine(cli.Folder, "audit.jsonl"), Path.Combine(cli.Folder, "audit.csv"));

        var run = await cli.RunAsync("audit", "export", "--out", file, "--csv", table);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(await log.ExportAsync(null), await File.ReadAllTextAsync(file));
        var rows = await File.ReadAllTextAsync(table);
        Assert.StartsWith("time,stream,sequence,type,actor_kind,", rows, StringComparison.Ordinal);
        Assert.Contains(",broker,,\"a,\"\"b\"\"\r\nc\",,,,'=HYPERLINK(1),", rows, StringComparison.Ordinal);
        Assert.Contains(",'-1,", rows, StringComparison.Ordinal);
        Assert.Equal(2, (await cli.RunAsync("audit", "export", "--out", file, "--resume", "--csv", table)).ExitCode);
    }

    [Theory]
    [InlineData("--task", "t-1")]
    [InlineData("--lease", "l-1")]
    [InlineData("--agent", "triage")]
    public async Task A_timeline_runs_from_the_request_to_its_outcome_and_names_the_order_that_ended_it(
        string option,
        string value
    )
    {
        await using var cli = await CliFixture.StartAsync();
        var log = new WrittenLog(3);
        var of = new AuditEvent
        {
            What = new RequestAllowed(),
            Actor = new("workload", "https://idp.example", "sub-1"),
            LeaseId = "l-1",
            TaskId = "t-1",
            Credential = "billing",
            Holder = new()
            {
                Issuer = "https://idp.example",
                Subject = "sub-1",
                Instance = "",
                Agent = "triage",
                Rule = "triage-reads",
            },
        };
        var order = new AuditEvent
        {
            What = new RevocationEnumerated(),
            Actor = AuditActor.Person("https://people.example", "ada"),
            RevocationId = "o-1",
        };
        log.Write(of);
        log.Write(of with { LeaseId = "l-2", TaskId = "t-2", Holder = of.Holder with { Agent = "payer" } });
        log.Write(order);
        log.Write(order with { RevocationId = "o-2" });
        log.Write(of with { What = new RevocationRequested(), RevocationId = "o-1", Reason = "admin" });
        log.Write(of with { What = new RevocationFailed { Error = "connection\u001b[31m refused" } });
        log.Write(of with { What = new LeaseRevoked(), Actor = AuditActor.Broker("revocation") });
        cli.Broker.On(Export, log.AnswerAsync);
        var file = Path.Combine(cli.Folder, "audit.jsonl");
        await File.WriteAllTextAsync(file, await log.ExportAsync(null));

        var asked = await cli.RunAsync("audit", "show", option, value);
        var read = await cli.RunAsync("audit", "show", option, value, "--file", file);

        Assert.Equal((0, asked.Out), (read.ExitCode, read.Out));
        Assert.Equal(
            [
                "request.allowed",
                "revocation.enumerated",
                "lease.revocation-requested",
                "lease.revocation-failed",
                "lease.revoked",
            ],
            asked
                .Out.TrimEnd()
                .Split('\n')
                .Skip(1)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])
        );
        Assert.DoesNotContain('\u001b', asked.Out);
        Assert.Contains("5 events", asked.Error, StringComparison.Ordinal);

        var json = await cli.RunAsync("audit", "show", option, value, "--output", "json");
        Assert.Equal(5, JsonDocument.Parse(json.Out).RootElement.GetArrayLength());
    }

    [Fact]
    public async Task One_thing_is_shown_at_a_time()
    {
        await using var cli = await CliFixture.StartAsync();
        Assert.Equal(2, (await cli.RunAsync("audit", "show")).ExitCode);
        Assert.Equal(2, (await cli.RunAsync("audit", "show", "--task", "a", "--agent", "b")).ExitCode);
        Assert.Equal(2, (await cli.RunAsync("audit", "show", "--task", "")).ExitCode);
    }

    [Fact]
    public async Task A_head_kept_elsewhere_must_be_in_the_file()
    {
        await using var cli = await CliFixture.StartAsync();
        var log = new WrittenLog(4);
        var file = Path.Combine(cli.Folder, "audit.jsonl");
        await File.WriteAllTextAsync(file, await log.ExportAsync(null));
        var head = log.Head.ToString();

        Assert.Equal(0, (await cli.RunAsync("audit", "verify", file, "--expect", head)).ExitCode);
        Assert.Equal(
            5,
            (
                await cli.RunAsync(
                    "audit",
                    "verify",
                    file,
                    "--expect",
                    head.Replace(":4:", ":5:", StringComparison.Ordinal)
                )
            ).ExitCode
        );
        Assert.Equal(2, (await cli.RunAsync("audit", "verify", file, "--expect", "head")).ExitCode);
    }

    [Fact]
    public async Task What_is_no_export_or_exists_already_is_left_alone()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(Export, new WrittenLog(1).AnswerAsync);
        var file = Path.Combine(cli.Folder, "letter.txt");
        await File.WriteAllTextAsync(file, "Dear Ada,\nyours\n");

        Assert.Equal(2, (await cli.RunAsync("audit", "export", "--out", file)).ExitCode);
        Assert.Equal(2, (await cli.RunAsync("audit", "export", "--out", file, "--resume")).ExitCode);
        Assert.Equal(2, (await cli.RunAsync("audit", "export", "--resume")).ExitCode);
        Assert.Equal(2, (await cli.RunAsync("audit", "export", "--from", "yesterday")).ExitCode);
        Assert.Equal(1, (await cli.RunAsync("audit", "verify", Path.Combine(cli.Folder, "none"))).ExitCode);
        Assert.Equal("Dear Ada,\nyours\n", await File.ReadAllTextAsync(file));
    }

    /// <summary>A log of one stream, and the export of it as the broker writes it.</summary>
    private sealed class WrittenLog : IAuditLog
    {
        public ValueTask<AuditArchive?> ArchivedAsync(CancellationToken cancellationToken) => new((AuditArchive?)null);

        public ValueTask<AuditPrefix?> PrefixAsync(
            DateTimeOffset before,
            int limit,
            CancellationToken cancellationToken
        ) => new((AuditPrefix?)null);

        private readonly string _stream = Ids.New(TimeProvider.System);
        private readonly List<AuditRecord> _records = [];

        public WrittenLog(int events) => Add(events);

        /// <summary>The connection breaks within the record after this many; null for never.</summary>
        public int? BreakAfter { get; set; }

        public AuditPosition Head => new(_stream, _records.Count, AuditRecordWriter.Hash(_records[^1].Bytes.Span));

        public void Add(int events)
        {
            for (var i = 0; i < events; i++)
            {
                var sequence = _records.Count + 1;
                Write(
                    sequence == 1
                        ? new()
                        {
                            What = new StreamOpened { Predecessor = null },
                            Actor = AuditActor.Broker("store"),
                            Reason = "r-1",
                        }
                        : new()
                        {
                            What = new AdminAction { Call = "test" },
                            Actor = AuditActor.Broker("test"),
                            Reason = $"r-{sequence}",
                        }
                );
            }
        }

        public void Write(AuditEvent happened)
        {
            var (sequence, previous) = (_records.Count + 1, _records.Count == 0 ? AuditPosition.NoHash : Head.Hash);
            _records.Add(
                new(
                    _stream,
                    sequence,
                    previous,
                    AuditRecordWriter.Seal(
                        _stream,
                        sequence,
                        new(2026, 3, 1, 10, sequence, 0, TimeSpan.Zero),
                        previous,
                        AuditRecordWriter.WriteBody(happened)
                    )
                )
            );
        }

        public async Task<string> ExportAsync(AuditCursor? after)
        {
            var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
            await new AuditExport(this).WriteAsync(pipe.Writer, null, null, after, default);
            await pipe.Writer.CompleteAsync();
            return await new StreamReader(pipe.Reader.AsStream(), Encoding.UTF8).ReadToEndAsync();
        }

        public async Task AnswerAsync(HttpContext context)
        {
            _ = AuditCursor.TryParse(context.Request.Query["cursor"], out var after);
            var text = await ExportAsync(after);
            var lines = text.Split('\n');
            var isBroken = BreakAfter is { } records && records < lines.Length - 4;
            await context.Response.WriteAsync(
                isBroken ? string.Join('\n', lines.Take(2 + BreakAfter!.Value)) + "\n{\"v\":1,\"stre" : text
            );
            await context.Response.Body.FlushAsync();
            if (isBroken)
            {
                throw new IOException("The connection ends without the last chunk.");
            }
        }

        public async IAsyncEnumerable<AuditRecord> ReadAsync(
            DateTimeOffset from,
            DateTimeOffset to,
            AuditCursor? after,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
        )
        {
            foreach (var record in _records.Where(record => record.Sequence > (after?.Sequence ?? 0)))
            {
                await Task.Yield();
                yield return record;
            }
        }
    }
}
