using System.CommandLine;
using System.Reflection;
using System.Text.Json;
using CredBroker.Cli.Commands.Leases;
using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Holds;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Revocations;
using Microsoft.AspNetCore.Mvc;

namespace CredBroker.UnitTests.Client;

/// <summary>
/// What selects leases is written once in each room: the client's records, the command line's options, the server's
/// binding and the core's selector. A field that one of them forgot would select too much.
/// </summary>
public sealed class LeaseSelectionTests
{
    private static readonly string[] Fields = Names(typeof(LeaseSelection));

    [Fact]
    public void The_core_selects_by_the_same_fields() =>
        Assert.Equal(
            Fields,
            Names(typeof(LeaseSelector)).Except([nameof(LeaseSelector.Everything), nameof(LeaseSelector.IsEmpty)])
        );

    [Fact]
    public void The_broker_lists_by_the_same_fields() =>
        Assert.Equal(
            [.. Fields.Take(1), "IdPrefix", .. Fields.Skip(1), "Revocation", "State", "Cursor", "Limit"],
            typeof(LeaseListQuery)
                .GetProperties()
                .Select(property => property.GetCustomAttribute<FromQueryAttribute>()?.Name)
                .OfType<string>()
                .Select(Pascal)
        );

    [Fact]
    public void The_clients_query_has_every_parameter_of_the_broker()
    {
        var filter = Filled<LeaseFilter>() with
        {
            IdPrefix = "0",
            Revocation = "x",
            States = ["a", "b"],
            Limit = 5,
            Cursor = "c",
        };

        var parameters = filter.ToQuery()[1..].Split('&').Select(pair => pair.Split('=')[0]).ToList();

        Assert.Equal(LeaseListQuery.Known.Order(), parameters.Distinct().Order());
        Assert.Equal(2, parameters.Count(name => name == "state"));
    }

    [Fact]
    public void The_command_line_has_an_option_for_every_field_but_the_lease()
    {
        var command = new Command("list");
        new SelectorOptions().AddTo(command);

        Assert.Equal(
            Fields.Except(["Lease"]).Select(field => "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(field)),
            command.Options.Select(option => option.Name)
        );
    }

    [Theory]
    [MemberData(nameof(EachField))]
    public void An_option_sets_its_field_and_no_other(string field)
    {
        if (field == "Lease")
        {
            return;
        }

        var command = new Command("list");
        var selector = new SelectorOptions();
        selector.AddTo(command);
        var parsed = command.Parse(["--" + JsonNamingPolicy.KebabCaseLower.ConvertName(field), "value"]);

        Assert.Equal([(field, "value")], Given(selector.Apply(parsed, new LeaseFilter())));
        Assert.Equal([(field, "value")], Given(selector.Apply(parsed, new RevocationRequest())));
    }

    [Theory]
    [MemberData(nameof(EachField))]
    public void An_orders_field_reaches_the_cores_field_of_its_name(string field)
    {
        const string value = "0199d3b0c0de7000800000000000abcd";
        var request = new RevocationRequest();
        typeof(LeaseSelection).GetProperty(field)!.SetValue(request, value);

        Assert.True(Selectors.Bind(request).Passes(out var selector, out _));

        Assert.Equal([(field, value)], Given(selector));
    }

    [Theory]
    [MemberData(nameof(EachField))]
    public void A_holds_field_reaches_the_cores_field_of_its_name_and_is_shown_under_it(string field)
    {
        var request = new HoldRequest();
        typeof(LeaseSelection).GetProperty(field)!.SetValue(request, "0199d3b0c0de7000800000000000abcd");

        Assert.Equal(field != "Lease", Selectors.Bind(request).Passes(out var selector, out var refusal));

        Assert.Equal(field == "Lease" ? RefusalCode.SelectorInvalid : null, refusal?.Code);
        if (selector is not null)
        {
            Assert.Equal(Given(request), Given(selector));
            var hold = new Hold
            {
                Id = "h",
                Selector = selector,
                PlacedBy = "p",
                PlacedAt = default,
            };
            Assert.Equal(Given(request), Given(HoldResponses.Of(hold)));
            Assert.Equal(field, Assert.Single(selector.Names()).Field.ToString());
        }
    }

    [Fact]
    public void The_fields_come_first_on_the_wire_in_their_order() =>
        Assert.Equal(
            """{"lease":"v","agent":"v","workload":"v","instance":"v","subject":"v","task":"v","process":"v","""
                + """ "credential":"v","owner":"v","issuer":"v","trustDomain":"v","everything":true,"reason":"r"}""".TrimStart(),
            JsonSerializer.Serialize(
                Filled<RevocationRequest>() with
                {
                    Everything = true,
                    Reason = "r",
                },
                BrokerJson.Default.RevocationRequest
            )
        );

    public static TheoryData<string> EachField() => [.. Fields];

    private static TSelection Filled<TSelection>()
        where TSelection : LeaseSelection, new()
    {
        var selection = new TSelection();
        foreach (var field in Fields)
        {
            typeof(LeaseSelection).GetProperty(field)!.SetValue(selection, "v");
        }

        return selection;
    }

    private static IEnumerable<(string, string)> Given(object selection) =>
        selection
            .GetType()
            .GetProperties()
            .Where(property => Fields.Contains(property.Name) && property.GetValue(selection) is string)
            .Select(property => (property.Name, (string)property.GetValue(selection)!));

    private static string[] Names(Type type) =>
        [.. type.GetProperties().Select(property => property.Name).Where(name => name != "EqualityContract")];

    private static string Pascal(string name) => char.ToUpperInvariant(name[0]) + name[1..];
}
