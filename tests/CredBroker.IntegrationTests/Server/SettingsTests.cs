using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Server.Hosting;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.Configuration;

namespace CredBroker.IntegrationTests.Server;

public sealed class SettingsTests
{
    [Fact]
    public void Nothing_configured_is_a_list_of_what_to_write()
    {
        var faults = Faults(new Dictionary<string, string?>());
        foreach (
            var section in new[]
            {
                "Listen:",
                "Identity",
                "Vault:Address",
                "Vault:Installation",
                "Vault needs one way",
                "Policy:File",
            }
        )
        {
            Assert.Contains(faults, fault => fault.StartsWith(section, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_faults_of_all_sections_come_together()
    {
        await using var broker = await TestBroker.StartAsync();
        var settings = broker.Settings();
        settings["Listen:Agents:Url"] = "http://0.0.0.0:8080";
        settings["Vault:Adress"] = "https://vault";
        settings["Vault:MintTimeout"] = "00:01:00";
        settings["Identity:Issuers:0:Claimz:0"] = "x";
        settings["Leases:StrayLimit"] = "none";
        settings["Storage:SqliteFile"] = ":memory:";
        settings["Jobs:RevocationRetry"] = "1.00:00:00";
        settings["Audit:KeepFor"] = "30.00:00:00";
        settings["Polizy:File"] = "x";
        var faults = Faults(settings);
        foreach (
            var expected in new[]
            {
                "in clear",
                "Vault:Adress is not a setting; did you mean Address?",
                "Vault:MintTimeout (00:01:00) must be shorter",
                "did you mean Claims?",
                "Leases:StrayLimit is \"none\"",
                "Storage:SqliteFile",
                "Jobs:RevocationRetry",
                "Audit:ArchiveTo is missing",
                "Polizy is not a setting; did you mean Policy?",
            }
        )
        {
            Assert.Contains(faults, fault => fault.Contains(expected, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("\"\"")]
    public async Task A_part_that_is_there_and_holds_nothing_is_not_taken_for_one_that_is_left_out(string people)
    {
        await using var broker = await TestBroker.StartAsync();
        using var text = new MemoryStream(
            Encoding.UTF8.GetBytes("""{"Listen":{"People":?},"Vault":{"AppRole":{}}}""".Replace("?", people))
        );
        var settings = new ConfigurationBuilder().AddInMemoryCollection(broker.Settings()).AddJsonStream(text).Build();

        var faults = Assert.Throws<SettingsFaultsException>(() => BrokerSettings.Read(settings, devMode: false)).Faults;

        Assert.Equal(
            ["Listen:People holds nothing", "Vault:AppRole holds nothing"],
            faults.Select(fault => fault[..fault.IndexOf(',', StringComparison.Ordinal)])
        );
    }

    [Fact]
    public void The_example_names_every_setting_and_no_other()
    {
        var example = new ConfigurationBuilder().AddJsonFile(Repository.ExampleSettings).Build();
        var named = Leaves(example)
            .Select(path => Regex.Replace(path, ":[0-9]+(?=:|$)", ":*"))
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var settings = BrokerSettings.Sections.SelectMany(section => SettingsShape.Paths(section.Value, section.Key));
        Assert.DoesNotContain(
            settings,
            setting =>
                !named.Contains(setting)
                && !named.Any(name =>
                    Regex.IsMatch(name, $"^{Regex.Escape(setting).Replace("\\*", "[^:]+")}$", RegexOptions.IgnoreCase)
                )
        );
    }

    [Fact]
    public void The_example_binds_and_validates()
    {
        // Paths in the example are a real installation's; here any file stands for each.
        using var folder = new TemporaryFolder();
        var settings = Leaves(
            new ConfigurationBuilder().AddJsonFile(Repository.ExampleSettings).Build(),
            (path, value) =>
                value is not null && value.StartsWith("/etc/", StringComparison.Ordinal)
                    ? folder.File(Path.GetFileName(value))
                    : value
        );
        settings["Audit:ArchiveTo"] = folder.Path;
        TlsFiles.Write(settings["Listen:Agents:CertificateFile"]!, settings["Listen:Agents:KeyFile"]!, "CN=broker");
        TlsFiles.Write(settings["Listen:People:CertificateFile"]!, settings["Listen:People:KeyFile"]!, "CN=people");
        File.Copy(settings["Listen:Agents:CertificateFile"]!, settings["Vault:CaFile"]!, overwrite: true);
        foreach (var told in new[] { "Notifications:Endpoints:0", "Notifications:Callbacks:0" })
        {
            File.WriteAllText(settings[$"{told}:SecretFile"]!, $"whsec_{Convert.ToBase64String(new byte[32])}");
        }

        File.WriteAllText(settings["Identity:Issuers:1:Scim:TokenFile"]!, "token");
        Assert.Empty(Faults(settings));
    }

    [Fact]
    public void The_example_says_of_each_setting_what_it_is()
    {
        var lines = File.ReadAllLines(Repository.ExampleSettings);
        var undescribed = lines.Where(
            (line, i) =>
                Regex.IsMatch(line, "^    \"[A-Z]")
                && !lines[i - 1].TrimStart().StartsWith("//", StringComparison.Ordinal)
                && !line.Contains("//", StringComparison.Ordinal)
        );
        Assert.Empty(undescribed);
    }

    private static IReadOnlyList<string> Faults(IReadOnlyDictionary<string, string?> settings)
    {
        try
        {
            BrokerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), devMode: false);
            return [];
        }
        catch (SettingsFaultsException e)
        {
            return e.Faults;
        }
    }

    private static IEnumerable<string> Leaves(IConfiguration configuration) =>
        configuration.AsEnumerable().Where(pair => pair.Value is not null).Select(pair => pair.Key);

    private static Dictionary<string, string?> Leaves(
        IConfiguration configuration,
        Func<string, string?, string?> change
    ) =>
        configuration
            .AsEnumerable()
            .Where(pair => pair.Value is not null)
            .ToDictionary(pair => pair.Key, pair => change(pair.Key, pair.Value));
}
