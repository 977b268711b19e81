using CredBroker.IntegrationTests.Storage;
using Xunit.Runner.InProc.SystemConsole;

// The test runner starts this assembly to run its tests; tests that kill a process start it once more to have one.
return args switch
{
    [StoreWriter.Command, var file, var acknowledged] => await StoreWriter.RunAsync(file, acknowledged),
    _ => await ConsoleRunner.Run(args),
};
