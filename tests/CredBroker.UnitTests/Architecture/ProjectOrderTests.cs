using System.Reflection;

namespace CredBroker.UnitTests.Architecture;

/// <summary>Which project may use which; what a project does not name here it must not even carry along.</summary>
public sealed class ProjectOrderTests
{
    private static readonly Dictionary<string, string[]> Arrows = new(StringComparer.Ordinal)
    {
        ["CredBroker.Cel"] = [],
        ["CredBroker.Client"] = [],
        ["CredBroker.Core"] = ["CredBroker.Cel"],
        ["CredBroker.Storage"] = ["CredBroker.Core"],
        ["CredBroker.Vault"] = ["CredBroker.Core"],
        ["CredBroker.Dev"] = ["CredBroker.Core"],
        ["credbroker"] = ["CredBroker.Client", "CredBroker.Core", "CredBroker.Storage", "CredBroker.Vault"],
        ["CredBroker.Server"] =
        [
            // For "did you mean" in settings.
            "CredBroker.Cel",
            "CredBroker.Client",
            "CredBroker.Core",
            "CredBroker.Dev",
            "CredBroker.Storage",
            "CredBroker.Vault",
        ],
    };

    public static TheoryData<string> Projects() => [.. Arrows.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_uses_no_other_than_it_may(string project)
    {
        var used = Assembly
            .Load(project)
            .GetReferencedAssemblies()
            .Select(assembly => assembly.Name!)
            .Where(name => name.StartsWith("CredBroker", StringComparison.OrdinalIgnoreCase));

        Assert.Empty(used.Except(Arrows[project]));
    }

    [Fact]
    public void Core_knows_no_sql_no_http_and_no_scheduler()
    {
        var used = Assembly.Load("CredBroker.Core").GetReferencedAssemblies().Select(assembly => assembly.Name!);

        Assert.DoesNotContain(
            used,
            name =>
                name.StartsWith("System.Net", StringComparison.Ordinal)
                || name.StartsWith("System.Data", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.Data", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
                || name.StartsWith("Quartz", StringComparison.Ordinal)
        );
    }
}
