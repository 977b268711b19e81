using System.Globalization;

namespace CredBroker.Cli.Output;

/// <summary>Times: how long from now for a person, RFC 3339 for everything else.</summary>
internal static class TimeText
{
    public static string Short(DateTimeOffset? at, OutputFormat format, TimeProvider time) =>
        at switch
        {
            null => "",
            { } moment when format == OutputFormat.Table => Relative(moment - time.GetUtcNow()),
            { } moment => Rfc3339(moment),
        };

    /// <summary>The exact time, and for a person how far away that is.</summary>
    public static string Full(DateTimeOffset? at, OutputFormat format, TimeProvider time) =>
        at switch
        {
            null => "",
            { } moment when format == OutputFormat.Table =>
                $"{Rfc3339(moment)} ({Relative(moment - time.GetUtcNow())})",
            { } moment => Rfc3339(moment),
        };

    public static string Rfc3339(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Duration(TimeSpan span) =>
        span switch
        {
            { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms"),
            { TotalSeconds: < 90 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s"),
            { TotalMinutes: < 90 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0} min"),
            { TotalHours: < 36 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0} h"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0} d"),
        };

    private static string Relative(TimeSpan distance) =>
        distance >= TimeSpan.Zero ? $"in {Duration(distance)}" : $"{Duration(distance.Negate())} ago";
}
