using System.Globalization;
using System.Runtime.InteropServices;
using CredBroker.Benchmarks;
using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Suites;

// The same program is also the children that it starts: each contender is a process, so that its CPU time is its own.
switch (args)
{
    case ["child", "vault-stub", var port]:
        return await VaultStub.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));
    case ["child", "bare", var port, var vaultPort, var jwks, .. var store]:
        return await BareBroker.RunAsync(
            int.Parse(port, CultureInfo.InvariantCulture),
            int.Parse(vaultPort, CultureInfo.InvariantCulture),
            jwks,
            store
        );
}

if (BenchOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(BenchOptions.Usage);
    return 2;
}

var signal = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => End(context, 130));
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => End(context, 143));
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => End(context, 129));

// On another thread: a suite that never awaits must not keep a signal waiting.
var suites = Task.Run(() => RunAsync(options));
if (await Task.WhenAny(suites, signal.Task) == suites)
{
    await suites;
    return 0;
}

Console.Error.WriteLine("Ended by a signal: stopping what runs, and removing what was kept.");
await Leftovers.RemoveAllAsync();
return await signal.Task;

void End(PosixSignalContext context, int exitCode)
{
    context.Cancel = true;
    signal.TrySetResult(exitCode);
}

static async Task RunAsync(BenchOptions options)
{
    Report.PrintMachine(options);
    foreach (var suite in options.Suites)
    {
        switch (suite)
        {
            case "exchange":
                await ExchangeSuite.RunAsync(options);
                break;
            case "shared":
                await SharedExchangeSuite.RunAsync(options);
                break;
            case "kv":
                await OpenBaoSuite.RunKeyValueAsync(options);
                break;
            case "pki":
                await OpenBaoSuite.RunCertificateAsync(options);
                break;
            case "database":
                await OpenBaoSuite.RunDatabaseAsync(options);
                break;
            case "policy":
                PolicySuite.Run(options);
                break;
            case "store":
                await StoreSuite.RunAsync(options);
                break;
            case "size":
                await SizeSuite.RunAsync(options);
                break;
            case "revocation":
                await RevocationSuite.RunAsync(options);
                break;
            case "mass":
                await MassRevocationSuite.RunAsync(options);
                break;
            case "idle":
                await IdleSuite.RunAsync(options);
                break;
        }
    }
}
