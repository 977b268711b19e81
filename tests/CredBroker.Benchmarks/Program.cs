using System.Globalization;
using CredBroker.Benchmarks;
using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Suites;

// The same program is also the children that it starts: each contender is a process, so that its CPU time is its own.
switch (args)
{
    case ["child", "vault-stub", var port]:
        return await VaultStub.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));
    case ["child", "bare", var port, var vaultPort, var database, var jwks]:
        return await BareBroker.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), int.Parse(vaultPort, CultureInfo.InvariantCulture), database, jwks);
}

if (BenchOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(BenchOptions.Usage);
    return 2;
}

Report.PrintMachine(options);
foreach (var suite in options.Suites)
{
    await (suite switch
    {
        "exchange" => ExchangeSuite.RunAsync(options),
        _ => throw new NotSupportedException(suite),
    });
}

return 0;
