using System.Globalization;

namespace CredBroker.Cli.Output;

/// <summary>Times: how long from now for a person, RFC 3339 for everything else.</summary>
internal static class Moment
{
    public static string Text(DateTimeOffset? at, OutputFormat format, TimeProvider time) =>
        at switch
        {
            null => "",
            { } moment when format == OutputFormat.Table => Relative(moment - time.GetUtcNow()),
            { } moment => Exact(moment),
        };

    /// <summary>The exact time, and for a person how far away that is.</summary>
    public static string Both(DateTimeOffset? at, OutputFormat format, TimeProvider time) =>
        at switch
        {
            null => "",
            { } moment when format == OutputFormat.Table => $"{Exact(moment)} ({Relative(moment - time.GetUtcNow())})",
            { } moment => Exact(moment),
        };

    public static string Exact(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Span(TimeSpan span) =>
        span switch
        {
            { TotalSeconds: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms"),
            { TotalSeconds: < 90 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s"),
            { TotalMinutes: < 90 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0} min"),
            { TotalHours: < 36 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0} h"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0} d"),
        };

    private static string Relative(TimeSpan distance) =>
        distance >= TimeSpan.Zero ? $"in {Span(distance)}" : $"{Span(distance.Negate())} ago";
}
