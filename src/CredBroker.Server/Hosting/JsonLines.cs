using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Audit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace CredBroker.Server.Hosting;

/// <summary>
/// The console for machines: one JSON object a line, with <c>time</c>, <c>level</c>, <c>category</c>, the
/// <c>message</c> where there is one beside the fields, the <c>fields</c> and the <c>exception</c>. Each thing stands
/// there once.
/// </summary>
internal sealed class JsonLines(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "credbroker-json";
    private const string Template = "{OriginalFormat}";

    public override void Write<TState>(
        in LogEntry<TState> logEntry,
        IExternalScopeProvider? scopeProvider,
        TextWriter textWriter
    )
    {
        var line = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(line, AuditRecordWriter.Json))
        {
            var fields = logEntry.State as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
            json.WriteStartObject();
            json.WriteString(
                "time",
                time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)
            );
            json.WriteString("level", LevelOf(logEntry.LogLevel));
            json.WriteString("category", logEntry.Category);
            if (fields.Count == 0 || fields.Any(field => field.Key == Template))
            {
                json.WriteString("message", logEntry.Formatter(logEntry.State, null));
            }

            WriteFields(json, fields);
            if (logEntry.Exception is { } exception)
            {
                json.WriteString("exception", exception.ToString());
            }

            json.WriteEndObject();
        }

        textWriter.WriteLine(Encoding.UTF8.GetString(line.WrittenSpan));
    }

    private static void WriteFields(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>> fields)
    {
        json.WriteStartObject("fields");
        foreach (var (name, value) in fields)
        {
            if (name == Template)
            {
                continue;
            }

            json.WritePropertyName(JsonNamingPolicy.CamelCase.ConvertName(name));
            switch (value)
            {
                case null:
                    json.WriteNullValue();
                    break;
                case bool flag:
                    json.WriteBooleanValue(flag);
                    break;
                case int or long:
                    json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case DateTimeOffset moment:
                    json.WriteStringValue(moment);
                    break;
                case IEnumerable<string> texts:
                    json.WriteStartArray();
                    foreach (var text in texts)
                    {
                        json.WriteStringValue(text);
                    }

                    json.WriteEndArray();
                    break;
                default:
                    json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }

        json.WriteEndObject();
    }

    private static string LevelOf(LogLevel level) => level.ToString().ToLowerInvariant();
}
