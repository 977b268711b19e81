using System.CommandLine;
using CredBroker.Storage.Upkeep;

namespace CredBroker.Cli.Commands.Store;

/// <summary><c>credbroker store rights</c>: prints the SQL that makes a PostgreSQL store's user and schema.</summary>
internal sealed class StoreRightsCommand : Command
{
    private readonly Terminal _terminal;
    private readonly Option<string> _database = Named("--database", "The database that it makes");
    private readonly Option<string> _schema = Named("--schema", "The schema that it makes there");
    private readonly Option<string> _user = Named("--user", "The user that the broker logs in as");
    private readonly Option<string?> _owner = new("--owner")
    {
        HelpName = "NAME",
        Description =
            "Another user, who owns the tables and runs store migrate; the broker's user then cannot change them",
    };

    public StoreRightsCommand(Terminal terminal)
        : base(
            "rights",
            "Print the SQL (for psql) by which an administrator makes a PostgreSQL store's database, schema and user, "
                + "with rights on that schema alone. It holds no password."
        )
    {
        _terminal = terminal;
        Check(_owner);
        Add(_database);
        Add(_schema);
        Add(_user);
        Add(_owner);
        SetAction(Run);
    }

    private int Run(ParseResult parsed)
    {
        var rights = new StoreRights
        {
            Database = parsed.GetRequiredValue(_database),
            Schema = parsed.GetRequiredValue(_schema),
            User = parsed.GetRequiredValue(_user),
            Owner = parsed.GetValue(_owner),
        };
        if (rights.Owner == rights.User)
        {
            throw CliException.Usage(
                "--owner and --user are the same.",
                "Leave --owner out: the broker's user then owns its tables."
            );
        }

        _terminal.Out.Write(rights.Script());
        return ExitCodes.Done;
    }

    private static Option<string> Named(string name, string description)
    {
        var option = new Option<string>(name)
        {
            HelpName = "NAME",
            Description = description,
            DefaultValueFactory = _ => "credbroker",
        };
        Check(option);
        return option;
    }

    private static void Check<T>(Option<T> option) =>
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !StoreRights.IsName(token.Value))
            {
                result.AddError(
                    $"{option.Name}: write a name of a-z, 0-9 and _, no more than 63 of them, the first no digit."
                );
            }
        });
}
