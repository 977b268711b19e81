using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Storage.Upkeep;

namespace CredBroker.Cli.Commands.Store;

/// <summary><c>credbroker store info</c>: what a store is and holds, also while a broker runs on it.</summary>
internal sealed class StoreInfoCommand : Command
{
    private readonly Terminal _terminal;
    private readonly StoreOption _store = new("--store", "The store");
    private readonly Option<bool> _allowUnverified = StoreOption.AllowUnverified();

    public StoreInfoCommand(Terminal terminal)
        : base(
            "info",
            "What a store is and holds: version, size, rows, live leases, audit heads. Reads only, also beside a broker."
        )
    {
        _terminal = terminal;
        _store.AddTo(this);
        Add(_allowUnverified);
        Add(OutputOption.Create());
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var report = StoreReport.Read(_store.Of(parsed, _allowUnverified));
        var format = OutputOption.Of(parsed, _terminal);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(
                JsonSerializer.Serialize(StoreReportOutput.Of(report), CliJson.Default.StoreReportOutput)
            );
        }
        else
        {
            Write(report, format);
        }

        return report.Unknown.Count == 0 ? ExitCodes.Done : ExitCodes.FaultsFound;
    }

    private void Write(StoreReport report, OutputFormat format)
    {
        Grid.WriteFields(
            _terminal,
            format,
            [
                ("Store", $"{StoreReportOutput.Word(report)}, {report.Place}"),
                ("Closed", report.Closed),
                ("Version", report.Version ?? "none: the tables are made by the first start, or by store migrate"),
                ("Lacks", string.Join(", ", report.Pending)),
                (
                    "Newer",
                    report.Unknown.Count == 0
                        ? null
                        : $"{string.Join(", ", report.Unknown)}: only a newer version can use this store"
                ),
                ("Size", Megabytes(report.Bytes)),
                ("Live leases", report.Version is null ? null : Live(report)),
                ("Audit streams", report.Heads.Count == 0 ? null : Number(report.Heads.Count)),
            ]
        );
        Grid.Write(
            _terminal,
            format,
            ["Table", "Rows"],
            [.. report.Tables.Select(rows => new[] { rows.Kind, Number(rows.Rows) })]
        );
        if (report.Heads is [.., var newest])
        {
            // A line of its own, as audit verify prints it: it is copied, kept elsewhere, and given to its --expect.
            _terminal.Out.WriteLine($"Head: {newest}");
        }
    }

    private static string Live(StoreReport report) =>
        report.LiveLeases.Count == 0
            ? "none"
            : string.Join(", ", report.LiveLeases.Select(rows => $"{Number(rows.Rows)} {rows.Kind}"));

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Megabytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0 / 1024.0:N1} MiB");
}

/// <summary>The JSON of <c>store info</c>. Heads are <c>stream:sequence:hash</c>, the oldest stream's first.</summary>
internal sealed record StoreReportOutput(
    string Provider,
    string Place,
    string? Version,
    IReadOnlyList<string> Pending,
    IReadOnlyList<string> Unknown,
    string? Closed,
    long Bytes,
    IReadOnlyDictionary<string, long> Rows,
    IReadOnlyDictionary<string, long> LiveLeases,
    IReadOnlyList<string> Heads
)
{
    public static StoreReportOutput Of(StoreReport report) =>
        new(
            Word(report),
            report.Place,
            report.Version,
            report.Pending,
            report.Unknown,
            report.Closed,
            report.Bytes,
            report.Tables.ToDictionary(rows => rows.Kind, rows => rows.Rows),
            report.LiveLeases.ToDictionary(rows => rows.Kind, rows => rows.Rows),
            [.. report.Heads.Select(head => head.ToString())]
        );

    public static string Word(StoreReport report) =>
        JsonNamingPolicy.KebabCaseLower.ConvertName(report.Provider.ToString());
}
