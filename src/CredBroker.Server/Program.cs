using CredBroker.Server.Hosting;

return await BrokerProgram.RunAsync(args);
