using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Login;

/// <summary>Shows whom the broker sees.</summary>
internal static class WhoamiTable
{
    public static void Write(Terminal terminal, OutputFormat format, WhoamiResponse whoami)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(whoami, BrokerJson.Default.WhoamiResponse));
            return;
        }

        var (person, agent) = (whoami.Person, whoami.Agent);
        Grid.WriteFields(
            terminal,
            format,
            [
                ("kind", person is null ? "agent" : "person"),
                ("issuer", person?.Issuer ?? agent?.Issuer),
                ("subject", person?.Subject ?? agent?.Subject),
                ("roles", person is null ? null : List(person.Roles)),
                ("groups", person is null ? null : List(person.Groups)),
                ("workload", agent?.Workload),
                ("instance", agent?.Instance),
                ("spiffe id", agent?.SpiffeId),
                (
                    "processes",
                    whoami.Processes is { } found ? List(found.Select(p => $"{p.Process} as {p.Agent}")) : null
                ),
                ("token ends", TimeText.Full(whoami.TokenExpiresAt, format, terminal.Time)),
            ]
        );

        static string List(IEnumerable<string> names) =>
            string.Join(", ", names) is { Length: > 0 } text ? text : "none";
    }
}
