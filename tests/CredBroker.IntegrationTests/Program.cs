using CredBroker.IntegrationTests.Storage;
using Xunit.Runner.InProc.SystemConsole;

// The test runner starts this assembly to run its tests; tests that need a process start it once more to have one.
return args switch
{
    [StoreWriter.Command, var file, var acknowledged] => await StoreWriter.RunAsync(file, acknowledged),
    [StoreOpener.Command, var connectionStringFile] => await StoreOpener.RunAsync(connectionStringFile),
    _ => await ConsoleRunner.Run(args),
};
