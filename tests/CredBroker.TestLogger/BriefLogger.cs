using System.Globalization;
using Microsoft.VisualStudio.TestPlatform.ObjectModel;
using Microsoft.VisualStudio.TestPlatform.ObjectModel.Client;
using Microsoft.VisualStudio.TestPlatform.ObjectModel.Logging;

namespace CredBroker.TestLogger;

/// <summary>
/// What <c>dotnet test</c> shows of single tests: each failure in full, and for all skipped tests together one line
/// with the reasons, which say how to have them run. VSTest's own console logger prints a line for each skipped test
/// and no reason; it is left the closing line (<c>VSTestLogger</c> in tests/Directory.Build.props).
/// </summary>
[FriendlyName("brief")]
[ExtensionUri("logger://credbroker/brief")]
public sealed class BriefLogger : ITestLogger
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _skipped = [];

    public void Initialize(TestLoggerEvents events, string testRunDirectory)
    {
        events.TestRunMessage += (_, message) => Tell(message);
        events.TestResult += (_, test) => Tell(test.Result);
        events.TestRunComplete += (_, _) => TellSkipped();
    }

    /// <summary>
    /// The other logger is told to be quiet and drops warnings. The one that xUnit sends for each skipped test is what
    /// this is all about.
    /// </summary>
    private static void Tell(TestRunMessageEventArgs message)
    {
        if (message.Level == TestMessageLevel.Warning && !message.Message.EndsWith("[SKIP]", StringComparison.Ordinal))
        {
            Console.WriteLine(message.Message);
        }
    }

    private void Tell(TestResult result)
    {
        lock (_gate)
        {
            if (result.Outcome == TestOutcome.Skipped)
            {
                var reason = (result.ErrorMessage ?? "no reason is given").ReplaceLineEndings(" ").TrimEnd('.');
                _skipped[reason] = _skipped.GetValueOrDefault(reason) + 1;
            }
            else if (result.Outcome == TestOutcome.Failed)
            {
                TellFailed(result);
            }
        }
    }

    private static void TellFailed(TestResult result)
    {
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"  Failed {result.DisplayName ?? result.TestCase.DisplayName} [{result.Duration.TotalSeconds:0.0} s]"
            )
        );
        Console.WriteLine($"  Error Message:\n   {result.ErrorMessage}");
        Console.WriteLine($"  Stack Trace:\n  {result.ErrorStackTrace}");
        foreach (var message in result.Messages.Where(message => !string.IsNullOrWhiteSpace(message.Text)))
        {
            Console.WriteLine($"  {message.Category}:\n{message.Text}");
        }
    }

    private void TellSkipped()
    {
        lock (_gate)
        {
            if (_skipped.Count > 0)
            {
                var reasons = _skipped
                    .OrderByDescending(reason => reason.Value)
                    .Select(reason => $"{reason.Key} ({reason.Value})");
                var count = _skipped.Values.Sum();
                Console.WriteLine(
                    $"{(count == 1 ? "1 test was" : $"{count} tests were")} skipped: {string.Join("; ", reasons)}."
                );
            }
        }
    }
}
