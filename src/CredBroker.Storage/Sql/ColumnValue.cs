using System.Text.Json;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sql;

/// <summary>
/// How Core's values stand in columns: times as Unix milliseconds, enums as the kebab-case text that the API uses.
/// </summary>
internal static class ColumnValue
{
    public static long From(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    public static long? From(DateTimeOffset? time) => time?.ToUnixTimeMilliseconds();

    public static DateTimeOffset Time(long column) => DateTimeOffset.FromUnixTimeMilliseconds(column);

    public static DateTimeOffset? Time(long? column) => column is { } milliseconds ? Time(milliseconds) : null;

    /// <summary>Null where the column holds no time.</summary>
    public static DateTimeOffset? TryTime(long column) =>
        column >= From(DateTimeOffset.MinValue) && column <= From(DateTimeOffset.MaxValue) ? Time(column) : null;

    /// <summary>What every id that begins with the prefix sorts before, and no other that sorts after those.</summary>
    public static string BeyondIds(string prefix) => prefix + "g";

    public static string From(LeaseState state) =>
        state switch
        {
            LeaseState.Pending => "pending",
            LeaseState.Active => "active",
            LeaseState.Revoking => "revoking",
            LeaseState.Failed => "failed",
            LeaseState.Revoked => "revoked",
            LeaseState.Ended => "ended",
            _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
        };

    public static LeaseState State(string column) =>
        TryState(column) ?? throw new InvalidOperationException($"The store holds the unknown lease state '{column}'.");

    /// <summary>Null where the column holds no state.</summary>
    public static LeaseState? TryState(string? column) =>
        column switch
        {
            "pending" => LeaseState.Pending,
            "active" => LeaseState.Active,
            "revoking" => LeaseState.Revoking,
            "failed" => LeaseState.Failed,
            "revoked" => LeaseState.Revoked,
            "ended" => LeaseState.Ended,
            _ => null,
        };

    public static string From(ApprovalState state) => JsonNamingPolicy.KebabCaseLower.ConvertName(state.ToString());

    public static string From(NotificationKind kind) => JsonNamingPolicy.KebabCaseLower.ConvertName(kind.ToString());

    public static string From(RevocationCause cause) => JsonNamingPolicy.KebabCaseLower.ConvertName(cause.ToString());

    public static RevocationCause? Cause(string? column) =>
        column is null
            ? null
            : Enum.Parse<RevocationCause>(column.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
}
