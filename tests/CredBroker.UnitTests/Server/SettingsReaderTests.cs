using CredBroker.Core.Leases;
using CredBroker.Server.Hosting;
using CredBroker.Server.Jobs;
using Microsoft.Extensions.Configuration;

namespace CredBroker.UnitTests.Server;

public sealed class SettingsReaderTests
{
    [Fact]
    public void Absent_sections_give_the_defaults() =>
        Assert.Equal(new LeaseOptions(), Reader([]).Read<LeaseOptions>("Leases", leases => leases.Validate()));

    [Fact]
    public void Every_fault_of_every_section_is_reported_at_once()
    {
        var reader = Reader(
            new()
            {
                ["Leases:IssuanceDeadlin"] = "00:00:30",
                ["Leases:RetryDelay"] = "soon",
                ["Leases:RevocationParallelism"] = "0",
                ["Jobs:PendingReconcile"] = "00:00:00.5",
                ["Jobs:Unheard"] = "1",
                ["Listn:Url"] = "https://127.0.0.1:1",
            }
        );
        reader.Read<LeaseOptions>("Leases", leases => leases.Validate());
        reader.Read<JobOptions>("Jobs", jobs => jobs.Validate());
        reader.Read<LogOptions>("Log", _ => []);
        reader.Read<ListenerOptions>("Listen", _ => []);

        var faults = Assert.Throws<SettingsFaultsException>(reader.ThrowIfFaulty).Faults;

        Assert.Contains("Leases:IssuanceDeadlin is not a setting; did you mean IssuanceDeadline?", faults);
        Assert.Contains(
            faults,
            fault => fault.StartsWith("Leases:RetryDelay is \"soon\"; write a time", StringComparison.Ordinal)
        );
        Assert.Contains(faults, fault => fault.StartsWith("Jobs:PendingReconcile is", StringComparison.Ordinal));
        Assert.Contains(
            faults,
            fault =>
                fault.StartsWith("Jobs:Unheard is not a setting; known here: RevocationRetry", StringComparison.Ordinal)
        );
        Assert.Contains("Listn is not a setting; did you mean Listen?", faults);
    }

    [Fact]
    public void A_setting_that_has_moved_says_where_to()
    {
        var reader = Reader(
            new()
            {
                ["Listen:Url"] = "https://*:8443",
                ["listen:certificatefile"] = "/server.pem",
                ["Listen:KeyFile"] = "/server.key",
            }
        );
        reader.Read<ListenerOptions>("Listen", _ => []);

        foreach (var name in new[] { "Url", "CertificateFile", "KeyFile" })
        {
            Assert.Contains(
                reader.Faults,
                fault =>
                    fault.StartsWith(
                        $"Listen:{name} is no longer a setting; write Listen:Agents:{name}.",
                        StringComparison.OrdinalIgnoreCase
                    )
            );
        }
    }

    [Fact]
    public void A_value_of_the_wrong_kind_does_not_hide_the_faults_of_its_neighbours()
    {
        var reader = Reader(new() { ["Leases:RetryDelay"] = "soon", ["Leases:StrayLimit"] = "0" });
        reader.Read<LeaseOptions>("Leases", leases => leases.Validate());

        Assert.Contains(reader.Faults, fault => fault.StartsWith("Leases:RetryDelay", StringComparison.Ordinal));
        Assert.Contains(reader.Faults, fault => fault.StartsWith("Leases:StrayLimit", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Log:Level", "Loud", "Trace, Debug")]
    [InlineData("Log:Format", "xml", "Text, Json")]
    [InlineData("Log:Format:Nested", "xml", "has parts")]
    [InlineData("Log:Levels", "Debug", "single value")]
    [InlineData("Log:Levels:Quartz", "chatty", "Trace, Debug")]
    public void A_value_that_a_setting_cannot_take_is_named_with_what_it_can(string key, string value, string expected)
    {
        var reader = Reader(new() { [key] = value });
        reader.Read<LogOptions>("Log", _ => []);
        Assert.Contains(reader.Faults, fault => fault.Contains(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("24:00:00", true)]
    [InlineData("23:59:59", false)]
    [InlineData("1.00:00:00", false)]
    public void A_day_written_as_24_hours_is_a_fault_because_dotnet_reads_it_as_24_days(string value, bool faulty)
    {
        var reader = Reader(new() { ["Jobs:RevocationRetry"] = value });
        reader.Read<JobOptions>("Jobs", _ => []);
        Assert.Equal(faulty, reader.Faults.Count == 1);
    }

    [Fact]
    public void Keys_are_found_in_any_case()
    {
        var log = Reader(new() { ["log:level"] = "debug" }).Read<LogOptions>("Log", _ => []);
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Debug, log.Level);
    }

    private static SettingsReader Reader(Dictionary<string, string?> settings) =>
        new(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
}
