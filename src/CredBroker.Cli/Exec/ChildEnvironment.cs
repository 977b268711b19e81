using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Exec;

/// <summary>Which variables a child gets for a secret, and which it must not inherit.</summary>
internal sealed class ChildEnvironment
{
    /// <summary>
    /// libpq reads these too, and they would lead it elsewhere than to the host that the secret is for.
    /// </summary>
    private static readonly string[] PostgresStrays = ["PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGPASSFILE"];

    private ChildEnvironment(IReadOnlyDictionary<string, string> set, IReadOnlyList<string> remove) =>
        (Set, Remove) = (set, remove);

    public IReadOnlyDictionary<string, string> Set { get; }

    public IReadOnlyList<string> Remove { get; }

    /// <summary>The variables of libpq: what psql, pg_dump and most drivers read.</summary>
    public static ChildEnvironment Postgres(SecretResponse secret)
    {
        if (secret is not DatabaseSecret database)
        {
            throw new CliException(ExitCodes.ExecFailed, "This credential is no database user.", "Use --as env.");
        }

        var set = new Dictionary<string, string> { ["PGUSER"] = database.Username, ["PGPASSWORD"] = database.Password };
        if (database.Connection is { } connection)
        {
            set["PGHOST"] = connection.Host;
            set["PGPORT"] = $"{connection.Port}";
            set["PGDATABASE"] = connection.Database;
            set["PGSSLMODE"] = connection.Sslmode;
        }

        return new(set, PostgresStrays);
    }

    /// <summary>
    /// One variable for each member: the prefix and the member's name in capitals, everything but letters and digits as
    /// <c>_</c>.
    /// </summary>
    public static ChildEnvironment Prefixed(SecretResponse secret, string prefix, Func<string, string?> inherited)
    {
        var set = new Dictionary<string, string>();
        foreach (var (member, value) in SecretMembers.Of(secret))
        {
            var name =
                prefix
                + new string([
                    .. member.Select(character =>
                        char.IsAsciiLetterOrDigit(character) ? char.ToUpperInvariant(character) : '_'
                    ),
                ]);
            if (value.Contains('\0', StringComparison.Ordinal))
            {
                throw new CliException(
                    ExitCodes.ExecFailed,
                    $"The member \"{member}\" of the secret holds a zero character, which no variable can.",
                    "Use exchange for this credential."
                );
            }

            // Whoever writes the secret must not be able to choose what runs: PATH is set already, the loader's
            // variables usually are not.
            if (
                name.Length == 0
                || char.IsAsciiDigit(name[0])
                || name.StartsWith("LD_", StringComparison.Ordinal)
                || name.StartsWith("DYLD_", StringComparison.Ordinal)
                || inherited(name) is not null
                || !set.TryAdd(name, value)
            )
            {
                throw new CliException(
                    ExitCodes.ExecFailed,
                    $"The member \"{member}\" of the secret cannot become the variable \"{name}\": "
                        + "it is taken, or not a safe name.",
                    "Choose another --prefix."
                );
            }
        }

        return new(set, []);
    }
}
