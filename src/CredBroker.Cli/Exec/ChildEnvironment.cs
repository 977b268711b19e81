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

    // What loaders, shells, interpreters and the usual tools read before they do what they were told to.
    private static readonly string[] Steering =
    [
        "PATH",
        "HOME",
        "SHELL",
        "ENV",
        "IFS",
        "CDPATH",
        "PS4",
        "PROMPT_COMMAND",
        "SHELLOPTS",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "BROWSER",
        "TMPDIR",
        "GCONV_PATH",
        "LOCPATH",
        "GLIBC_TUNABLES",
        "CLASSPATH",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ];
    private static readonly string[] SteeringFamilies =
    [
        "LD_",
        "DYLD_",
        "BASH_",
        "MALLOC_",
        "PYTHON",
        "PERL",
        "RUBY",
        "GEM_",
        "NODE_",
        "NPM_",
        "JAVA_",
        "JDK_",
        "_JAVA_",
        "MAVEN_",
        "DOTNET_",
        "CORECLR_",
        "COMPLUS_",
        "GIT_",
        "SSH_",
        "SSL_",
        "OPENSSL_",
        "CURL_",
        "KUBECONFIG",
        "DOCKER_",
    ];

    /// <summary>
    /// Variables from which a workload's token could be had, wherever ours came from: the command gets its secret and not
    /// the means to ask for others.
    /// </summary>
    public static readonly IReadOnlyList<string> TokenVariables =
    [
        TokenSource.FileVariable,
        .. TokenSource.GitLab().Variables,
        .. TokenSource.GitHubActions("none").Variables,
    ];

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

            // Whoever writes the secret must not be able to choose what runs, or where it looks.
            if (
                name.Length == 0
                || char.IsAsciiDigit(name[0])
                || Steering.Contains(name)
                || TokenVariables.Contains(name)
                || Array.Exists(SteeringFamilies, family => name.StartsWith(family, StringComparison.Ordinal))
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
