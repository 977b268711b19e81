using System.Reflection;
using System.Text.RegularExpressions;
using CredBroker.Cel;
using CredBroker.Core.Exchange;
using NetArchTest.Rules;

namespace CredBroker.UnitTests.Architecture;

/// <summary>
/// Core and Cel are read from bottom to top: a folder uses those above it in these lists and never one below, so that
/// each can be understood, and changed, without what comes after it.
/// </summary>
public sealed class FolderOrderTests
{
    private static readonly Assembly CoreAssembly = typeof(CredentialExchange).Assembly;

    private static readonly string[] Core =
    [
        "Text",
        "Requests",
        "Identity",
        "Audit",
        "Policy",
        "State",
        "Retention",
        "Issuing",
        "PolicyVersions",
        "Callers",
        "Readiness",
        "Leases",
        "Revocations",
        "Holds",
        "Owners",
        "Limits",
        "Tasks",
        "Approvals",
        "Exchange",
    ];

    private static readonly string[] Cel = ["Values", "Syntax", "Nodes", "Checking"];

    public static TheoryData<string, string> CoreFolders() => Pairs(Core);

    public static TheoryData<string, string> CelFolders() => Pairs(Cel);

    [Theory]
    [MemberData(nameof(CoreFolders))]
    public void A_folder_of_Core_uses_none_of_a_later_one(string folder, string later) =>
        Assert.Empty(Users(CoreAssembly, $"CredBroker.Core.{folder}", $"CredBroker.Core.{later}"));

    [Theory]
    [MemberData(nameof(CelFolders))]
    public void A_folder_of_Cel_uses_none_of_a_later_one(string folder, string later) =>
        Assert.Empty(Users(typeof(CelProgram).Assembly, $"CredBroker.Cel.{folder}", $"CredBroker.Cel.{later}"));

    [Fact]
    public void Policies_are_decided_without_their_document_and_documents_read_without_the_linter_and_their_tests()
    {
        Assert.Empty(Users(CoreAssembly, "CredBroker.Core.Policy", "CredBroker.Core.Policy.Document", andBelow: false));
        Assert.Empty(Users(CoreAssembly, "CredBroker.Core.Policy.Document", "CredBroker.Core.Policy.Linting"));
        Assert.Empty(Users(CoreAssembly, "CredBroker.Core.Policy.Document", "CredBroker.Core.Policy.Testing"));
    }

    [Fact]
    public void Every_folder_of_Core_has_its_place()
    {
        var folders = CoreAssembly
            .GetTypes()
            .Select(type => type.Namespace?.Split('.'))
            .Where(parts => parts is ["CredBroker", "Core", ..])
            .Select(parts => parts!.ElementAtOrDefault(2) ?? "")
            .Distinct();

        Assert.Equal(Core.Append("Diagnostics").Order(), folders.Order());
    }

    /// <summary>The test of the tests: what is there is found, in bodies of methods too.</summary>
    [Fact]
    public void Uses_the_right_way_round_are_found() =>
        Assert.NotEmpty(Users(CoreAssembly, "CredBroker.Core.Exchange", "CredBroker.Core.Diagnostics"));

    private static IEnumerable<string> Users(Assembly assembly, string folder, string used, bool andBelow = true) =>
        Types
            .InAssembly(assembly)
            .That()
            .ResideInNamespaceMatching($"^{Regex.Escape(folder)}" + (andBelow ? "(\\.|$)" : "$"))
            .And()
            .HaveDependencyOnAny(used)
            .GetTypes()
            .Select(type => type.FullName);

    private static TheoryData<string, string> Pairs(string[] folders)
    {
        var pairs = new TheoryData<string, string>();
        for (var i = 0; i < folders.Length; i++)
        {
            foreach (var later in folders[(i + 1)..])
            {
                pairs.Add(folders[i], later);
            }
        }

        return pairs;
    }
}
