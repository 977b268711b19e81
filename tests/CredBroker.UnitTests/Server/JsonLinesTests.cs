using System.Text.Json;
using CredBroker.Server.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Server;

public sealed class JsonLinesTests
{
    private static readonly FakeTimeProvider Time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void A_line_says_each_thing_once()
    {
        var line = Write(
            [new("Count", 3), new("Name", "a \"name\"\nof two lines"), new("{OriginalFormat}", "{Count} of {Name}")],
            "3 of them",
            new InvalidOperationException("broken")
        );

        using var json = JsonDocument.Parse(line);
        var root = json.RootElement;
        Assert.Equal(
            ["time", "level", "category", "message", "fields", "exception"],
            root.EnumerateObject().Select(member => member.Name)
        );
        Assert.Equal("2026-03-01T12:00:00.000Z", root.GetProperty("time").GetString());
        Assert.Equal("warning", root.GetProperty("level").GetString());
        Assert.Equal("3 of them", root.GetProperty("message").GetString());
        Assert.Equal(3, root.GetProperty("fields").GetProperty("count").GetInt32());
        Assert.Equal("a \"name\"\nof two lines", root.GetProperty("fields").GetProperty("name").GetString());
        Assert.StartsWith(
            "System.InvalidOperationException: broken",
            root.GetProperty("exception").GetString(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain('\n', line.TrimEnd());
    }

    [Fact]
    public void What_is_all_fields_has_no_message_beside_them()
    {
        using var json = JsonDocument.Parse(Write([new("event", "lease.issued")], "lease.issued", null));

        Assert.False(json.RootElement.TryGetProperty("message", out _));
        Assert.Equal("lease.issued", json.RootElement.GetProperty("fields").GetProperty("event").GetString());
    }

    private static string Write(
        IReadOnlyList<KeyValuePair<string, object?>> state,
        string message,
        Exception? exception
    )
    {
        using var text = new StringWriter();
        new JsonLines(Time).Write(
            new LogEntry<IReadOnlyList<KeyValuePair<string, object?>>>(
                LogLevel.Warning,
                "CredBroker.Test",
                default,
                state,
                exception,
                (_, _) => message
            ),
            null,
            text
        );
        return text.ToString();
    }
}
