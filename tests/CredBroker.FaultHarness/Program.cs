using CredBroker.FaultHarness;
using CredBroker.FaultHarness.Faults;
using CredBroker.FaultHarness.Load;
using CredBroker.FaultHarness.Servers;
using CredBroker.FaultHarness.Watch;
using CredBroker.Testing;
using CredBroker.Testing.Servers;

if (HarnessOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(HarnessOptions.Usage);
    return 2;
}

if (TestBao.FindBinary() is null || TestPostgres.FindPrograms() is null)
{
    Console.Error.WriteLine(
        "The harness needs OpenBao (set CREDBROKER_TEST_BAO or put bao on PATH) and PostgreSQL's server programs (initdb)."
    );
    return 2;
}

Log.Line($"seed {options.Seed}");
var tally = new Tally();
var ledger = new Ledger();
var dice = new Dice(options.Seed);
await using var arena = await Arena.StartAsync(options);
var watcher = new Watcher(arena, ledger, tally, Log.Line);
await Sight.ProveAsync(arena);
if (arena.Store is SqliteStore { Disk: null })
{
    tally.Add("left out", "a full disk: mounting a small one takes root on Linux");
}

if (arena.Brokers[0].Clock is null)
{
    tally.Add(
        "left out",
        options.StoreOnPostgres
            ? "a wrong clock: under libfaketime no connection to PostgreSQL comes about"
            : "a wrong clock: libfaketime is not installed"
    );
}

Log.Line($"everything runs, and the watcher sees lies; its files are in {arena.Folder}");

string[] instances = [.. Enumerable.Range(0, options.Agents).Select(i => $"i-{i}")];
var probe = new StopProbe(arena, tally, watcher.Found);
using var stopLoad = new CancellationTokenSource(options.Length, TimeProvider.System);
using var stopWatch = new CancellationTokenSource();
var watch = watcher.RunAsync(stopWatch.Token);
List<Task> run =
[
    FaultLane.OfProcesses(arena, tally, dice.For(1000)).RunAsync(stopLoad.Token),
    FaultLane.OfLinks(arena, tally, dice.For(1001)).RunAsync(stopLoad.Token),
    new Admin(arena, ledger, tally, probe, dice.For(1002), instances).RunAsync(stopLoad.Token),
    .. instances.Select(
        (instance, i) => new Agent(arena, ledger, tally, probe, dice.For(i), instance).RunAsync(stopLoad.Token)
    ),
];

// Whichever fails first ends the run: a watcher that has stopped sees nothing.
while (run.Count > 0)
{
    var ended = await Task.WhenAny([watch, .. run]);
    await ended;
    run.Remove(ended);
}

Log.Line("load and faults have stopped");
var settling = new Settling(arena, watcher, tally, options.Settle);
await settling.RunAsync();
await stopWatch.CancelAsync();
await watch;
await watcher.PassAsync(tries: int.MaxValue);

var leases = (await watcher.LeasesAsync()).Values.ToList();
var lateness = new Lateness();
if (options.StoreOnPostgres)
{
    // A file's times are its broker's, whose clock was wrong.
    lateness.Measure(
        leases,
        ledger.Issued,
        arena.Calm,
        [.. arena.Brokers.Select(broker => broker.Deaths)],
        watcher.Found
    );
}

var violations = watcher.Violations;
Report.Print(options, tally, leases, lateness, probe, settling, violations);
await Task.WhenAll(arena.Brokers.Select(broker => broker.KeepLogAsync()));
if (violations.Count == 0 && options.Keep is null)
{
    return 0;
}

var kept = options.Keep ?? Directory.CreateTempSubdirectory("credbroker-faults-kept-").FullName;
await Evidence.KeepAsync(arena, kept);
Console.WriteLine($"Store, audit export and the servers' logs are kept in {kept}. Repeat with --seed {options.Seed}.");
return violations.Count == 0 ? 0 : 1;
