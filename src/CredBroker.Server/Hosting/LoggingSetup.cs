using Microsoft.Extensions.Logging.Console;

namespace CredBroker.Server.Hosting;

/// <summary>Console logging as the settings say.</summary>
internal static class LoggingSetup
{
    private const string Timestamp = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static void AddBrokerLogging(this ILoggingBuilder logging, LogOptions options)
    {
        logging.SetMinimumLevel(options.Level);

        // The frameworks' own chatter (a line for each request, for each firing of a job) only where it is asked for.
        foreach (var category in new[] { "Microsoft", "System", "Quartz", "Polly" })
        {
            logging.AddFilter(category, options.Level > LogLevel.Warning ? options.Level : LogLevel.Warning);
        }

        foreach (var (category, level) in options.Levels)
        {
            logging.AddFilter(category, level);
        }

        // A reader of the console that stalls must not stall what is logged: secrets are revoked all the same.
        logging.Services.Configure<ConsoleLoggerOptions>(console =>
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite
        );
        if (options.Format == LogFormat.Json)
        {
            logging.AddConsole(console => console.FormatterName = JsonLines.FormatterName);
            logging.AddConsoleFormatter<JsonLines, ConsoleFormatterOptions>();
        }
        else
        {
            logging.AddSimpleConsole(console =>
                (console.TimestampFormat, console.UseUtcTimestamp, console.SingleLine) = (Timestamp, true, true)
            );
        }
    }
}
