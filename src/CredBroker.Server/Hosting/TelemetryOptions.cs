namespace CredBroker.Server.Hosting;

/// <summary>
/// Where metrics and traces are sent. Bound from the section <c>Telemetry</c>. Metrics can be fetched instead
/// (<see cref="ListenerOptions.Metrics"/>).
/// </summary>
public sealed record TelemetryOptions
{
    private const string Section = "Telemetry";

    /// <summary>
    /// The address of an OTLP collector (HTTP with protobuf; <c>/v1/metrics</c> and <c>/v1/traces</c> are appended). Empty:
    /// nothing is sent.
    /// </summary>
    public string OtlpEndpoint { get; init; } = "";

    /// <summary>Which part of the traces is sent, from 0 to 1. No caller decides that for its own.</summary>
    public double TraceRatio { get; init; } = 1;

    /// <summary>The collector; null where nothing is sent. Meaningful once validated.</summary>
    internal Uri? Collector => OtlpEndpoint.Length == 0 ? null : new Uri(OtlpEndpoint.TrimEnd('/') + "/");

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (
            OtlpEndpoint.Length > 0
            && !(
                Uri.TryCreate(OtlpEndpoint, UriKind.Absolute, out var uri)
                && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
                && uri is { UserInfo: "", Query: "", Fragment: "" }
            )
        )
        {
            yield return $"{Section}:{nameof(OtlpEndpoint)} is \"{OtlpEndpoint}\"; write the https:// address of an OTLP collector, "
                + "or an http:// address of this machine, such as \"http://127.0.0.1:4318\".";
        }

        if (TraceRatio is not (>= 0 and <= 1))
        {
            yield return $"{Section}:{nameof(TraceRatio)} is {TraceRatio}; write a number from 0 to 1.";
        }
    }
}
