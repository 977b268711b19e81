using System.Globalization;

namespace CredBroker.Benchmarks;

/// <summary>What to measure, and for how long.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        usage: dotnet run -c Release --project tests/CredBroker.Benchmarks -- [SUITE…|all] [options]
          suites: exchange shared kv pki database policy store revocation mass idle; size, which all leaves out
          --seconds N            measured seconds for each contender and concurrency (default 12)
          --warmup N             unmeasured seconds for each contender before (default 10)
          --rounds N             rounds that the measured seconds are split into; contenders take turns in each (default 6)
          --concurrency N[,N]    kept connections, each with one request under way (default 32,128)
          --tokens N             distinct tokens that are taken in turn (default 20000)
          --leases N             live leases of the revocation suite (default 10000)
          --mass N               secrets that the suite mass takes back at once (default 200)
          --idle N               seconds that the suite idle watches the broker at rest (default 30)
          --settle N             seconds that it is left alone before, while .NET compiles what jobs call each second (default 0)
          --server FILE          the CredBroker.Server.dll that the suite idle starts, such as a published one (default: its own)
          --past N               past leases of the suite size (default 1000000)
          --events N             audit records of theirs, in all (default 10000000; 22 GB on SQLite, and many minutes)
          --engine NAME          sqlite or postgres: the only one that the suite size measures (default both)
          --directory DIR        where the stores are kept while it runs (default: the temporary directory)
        """;

    private const string Size = "size";
    private static readonly string[] AllSuites =
    [
        "exchange",
        "shared",
        "kv",
        "pki",
        "database",
        "policy",
        "store",
        "revocation",
        "mass",
        "idle",
    ];

    public IReadOnlyList<string> Suites { get; init; } = AllSuites;

    public int Seconds { get; init; } = 12;

    public int Warmup { get; init; } = 10;

    public int Rounds { get; init; } = 6;

    public IReadOnlyList<int> Concurrency { get; init; } = [32, 128];

    public int Tokens { get; init; } = 20_000;

    public int Leases { get; init; } = 10_000;

    public int Mass { get; init; } = 200;

    public int Idle { get; init; } = 30;

    public int Settle { get; init; }

    public string? Server { get; init; }

    public int Past { get; init; } = 1_000_000;

    public int Events { get; init; } = 10_000_000;

    public string Engine { get; init; } = "";

    public string Directory { get; init; } = Path.GetTempPath();

    /// <summary>The options, or null where the arguments are not understood.</summary>
    public static BenchOptions? Parse(ReadOnlySpan<string> arguments)
    {
        var options = new BenchOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "all")
            {
                continue;
            }

            if (arguments[i] == Size || AllSuites.Contains(arguments[i]))
            {
                options = options with
                {
                    Suites = options.Suites == AllSuites ? [arguments[i]] : [.. options.Suites, arguments[i]],
                };
                continue;
            }

            var value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            var next = arguments[i++] switch
            {
                "--seconds" when Number(value, 1, 600) is { } number => options with { Seconds = number },
                "--warmup" when Number(value, 0, 120) is { } number => options with { Warmup = number },
                "--rounds" when Number(value, 1, 100) is { } number => options with { Rounds = number },
                "--tokens" when Number(value, 1, 200_000) is { } number => options with { Tokens = number },
                "--leases" when Number(value, 1, 1_000_000) is { } number => options with { Leases = number },
                "--past" when Number(value, 1, 100_000_000) is { } number => options with { Past = number },
                "--mass" when Number(value, 1, 100_000) is { } number => options with { Mass = number },
                "--idle" when Number(value, 1, 3_600) is { } number => options with { Idle = number },
                "--settle" when Number(value, 0, 3_600) is { } number => options with { Settle = number },
                "--server" when File.Exists(value) => options with { Server = value },
                "--events" when Number(value, 1, 1_000_000_000) is { } number => options with { Events = number },
                "--engine" when value is "sqlite" or "postgres" => options with { Engine = value },
                "--directory" when System.IO.Directory.Exists(value) => options with { Directory = value },
                "--concurrency"
                    when value.Split(',').Select(part => Number(part, 1, 1024)).ToArray() is var numbers
                        && numbers.All(number => number is not null) => options with
                {
                    Concurrency = [.. numbers.Select(number => number!.Value)],
                },
                _ => null,
            };
            if (next is null)
            {
                return null;
            }

            options = next;
        }

        return options;
    }

    private static int? Number(string text, int low, int high) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number >= low
        && number <= high
            ? number
            : null;
}
