using System.CommandLine;
using System.CommandLine.Parsing;
using CredBroker.Storage;

namespace CredBroker.Cli.Commands.Store;

/// <summary>
/// Where a store is: <c>sqlite:PATH</c>, or <c>postgres:FILE</c> with the file that the broker's setting
/// <c>Storage:ConnectionStringFile</c> names. A password is no argument.
/// </summary>
internal sealed class StoreOption
{
    private const string Sqlite = "sqlite:";
    private const string Postgres = "postgres:";

    private readonly Option<StorageOptions> _store;

    public StoreOption(string name, string description) =>
        _store = new(name)
        {
            HelpName = "STORE",
            Description =
                $"{description}: sqlite:PATH, or postgres:FILE with the file that Storage:ConnectionStringFile names",
            Required = true,
            CustomParser = Parse,
        };

    /// <summary>As <c>Storage:AllowUnverifiedServer</c>.</summary>
    public static Option<bool> AllowUnverified() =>
        new("--allow-unverified-server")
        {
            Description = "Believe a PostgreSQL server on another machine without SSL Mode=VerifyFull",
        };

    public void AddTo(Command command) => command.Add(_store);

    public StorageOptions Of(ParseResult parsed, Option<bool> allowUnverified)
    {
        var options = parsed.GetRequiredValue(_store);
        options.AllowUnverifiedServer = parsed.GetValue(allowUnverified);
        return options;
    }

    private static StorageOptions? Parse(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        var options = text switch
        {
            _ when text.StartsWith(Sqlite, StringComparison.Ordinal) => new StorageOptions
            {
                SqliteFile = text[Sqlite.Length..],
            },
            _ when text.StartsWith(Postgres, StringComparison.Ordinal) => new StorageOptions
            {
                Provider = StorageProvider.Postgres,
                ConnectionStringFile = text[Postgres.Length..],
            },
            _ => null,
        };
        if (options is null)
        {
            // It may be a connection string: it is not repeated.
            result.AddError("That is no store: write sqlite:PATH, or postgres:FILE with a file that leads there.");
        }
        else if (options.Validate() is [var fault, ..])
        {
            result.AddError(fault);
        }

        return options;
    }
}
