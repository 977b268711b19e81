using System.Globalization;
using System.Security.Cryptography;

namespace CredBroker.FaultHarness;

/// <summary>Whether the store's server has a replica that takes its place, and what that has of what was answered.</summary>
internal enum Failover
{
    None,

    /// <summary>It follows, and may lack the last commits.</summary>
    Async,

    /// <summary>A commit is answered when it has it.</summary>
    Sync,
}

/// <summary>How long, by which seed, and where what is left of it is kept.</summary>
internal sealed record HarnessOptions
{
    public const string Usage = """
        usage: dotnet run --project tests/CredBroker.FaultHarness -- [options]
          --seconds N     how long load and faults last (default 90; then everything must settle)
          --seed N        repeats the faults and the load's choices (default: a new one, which is printed)
          --settle N      how many seconds everything may take to settle once faults and load have stopped (default 150)
          --agents N      how many agents ask at once, 1 to 64 (default 8)
          --store KIND    sqlite, or postgres: a server of its own (default sqlite)
          --brokers N     how many brokers share the store, 1 to 3; more than one need postgres (default 1)
          --failover HOW  none; async or sync: the store's server is killed and a replica takes its place (default none)
          --keep DIR      where store, export and logs of the servers are copied (default: after a violation, a new temporary one)
        """;

    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(90);

    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(150);

    public ulong Seed { get; init; } = (ulong)RandomNumberGenerator.GetInt32(1, int.MaxValue);

    public int Agents { get; init; } = 8;

    public string? Keep { get; init; }

    public int Brokers { get; init; } = 1;

    public bool StoreOnPostgres { get; init; }

    public Failover Failover { get; init; }

    /// <summary>How many brokers there are on what.</summary>
    public string Stage =>
        $"{Brokers} {(Brokers == 1 ? "broker" : "brokers")} on {(StoreOnPostgres ? "PostgreSQL" : "SQLite")}"
        + Failover switch
        {
            Failover.Async => " with an asynchronous standby",
            Failover.Sync => " with a synchronous standby",
            _ => "",
        };

    /// <summary>The options, or null where the arguments are not understood.</summary>
    public static HarnessOptions? Parse(ReadOnlySpan<string> arguments)
    {
        var options = new HarnessOptions();
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            var next = arguments[i] switch
            {
                "--seconds" when Number(value, 1, 86_400) is { } number => options with
                {
                    Length = TimeSpan.FromSeconds(number),
                },
                "--settle" when Number(value, 1, 3_600) is { } number => options with
                {
                    Settle = TimeSpan.FromSeconds(number),
                },
                "--seed" when Number(value, 0, int.MaxValue) is { } number => options with { Seed = (ulong)number },
                "--agents" when Number(value, 1, 64) is { } number => options with { Agents = number },
                "--brokers" when Number(value, 1, 3) is { } number => options with { Brokers = number },
                "--store" when value is "sqlite" or "postgres" => options with
                {
                    StoreOnPostgres = value == "postgres",
                },
                "--failover"
                    when Enum.TryParse<Failover>(value, ignoreCase: true, out var how) && !char.IsDigit(value[0]) =>
                    options with
                    {
                        Failover = how,
                    },
                "--keep" when value.Length > 0 => options with { Keep = value },
                _ => null,
            };
            if (next is null)
            {
                return null;
            }

            options = next;
        }

        return options.StoreOnPostgres || (options.Brokers == 1 && options.Failover == Failover.None) ? options : null;
    }

    private static int? Number(string text, int low, int high) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number >= low
        && number <= high
            ? number
            : null;
}
