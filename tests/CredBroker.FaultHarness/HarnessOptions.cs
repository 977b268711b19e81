using System.Globalization;
using System.Security.Cryptography;

namespace CredBroker.FaultHarness;

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
          --keep DIR      where store, export and logs of the servers are copied (default: after a violation, a new temporary one)
        """;

    public TimeSpan Length { get; init; } = TimeSpan.FromSeconds(90);

    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(150);

    public ulong Seed { get; init; } = (ulong)RandomNumberGenerator.GetInt32(1, int.MaxValue);

    public int Agents { get; init; } = 8;

    public string? Keep { get; init; }

    public int Brokers { get; init; } = 1;

    public bool StoreOnPostgres { get; init; }

    /// <summary>How many brokers there are on what.</summary>
    public string Stage =>
        $"{Brokers} {(Brokers == 1 ? "broker" : "brokers")} on {(StoreOnPostgres ? "PostgreSQL" : "SQLite")}";

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
                "--keep" when value.Length > 0 => options with { Keep = value },
                _ => null,
            };
            if (next is null)
            {
                return null;
            }

            options = next;
        }

        return options.Brokers == 1 || options.StoreOnPostgres ? options : null;
    }

    private static int? Number(string text, int low, int high) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number >= low
        && number <= high
            ? number
            : null;
}
