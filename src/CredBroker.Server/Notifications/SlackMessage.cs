using System.Text.Json.Nodes;
using CredBroker.Client;

namespace CredBroker.Server.Notifications;

/// <summary>
/// A message for Slack. What is not the broker's own words stands in <c>plain_text</c> objects, where nothing is markup,
/// and has <c>&amp;</c>, <c>&lt;</c> and <c>&gt;</c> escaped, without which there is neither mention nor link. There are
/// no buttons: a click in a chat proves nobody.
/// </summary>
internal static class SlackMessage
{
    private const int FieldsAtOnce = 10;

    public static JsonObject Of(ApprovalNotification told)
    {
        var facts = MessageFacts.Of(told);
        var blocks = new JsonArray(Block("header", ("text", Plain(facts.Title))));
        AddFields(blocks, facts.Known);
        if (facts.Said.Count > 0)
        {
            blocks.Add((JsonNode)Block("context", ("elements", new JsonArray(Plain(MessageFacts.SaidTitle)))));
            AddFields(blocks, facts.Said);
        }

        blocks.Add(
            (JsonNode)Block(
                "section",
                (
                    "text",
                    told.Link is null
                        ? Plain(facts.Command)
                        : new() { ["type"] = "mrkdwn", ["text"] = $"<{Escape(told.Link)}|Look at the request>" }
                )
            )
        );
        return new()
        {
            ["text"] = facts.Title,
            ["mrkdwn"] = false,
            ["link_names"] = false,
            ["parse"] = "none",
            ["unfurl_links"] = false,
            ["unfurl_media"] = false,
            ["blocks"] = blocks,
        };
    }

    private static void AddFields(JsonArray blocks, IReadOnlyList<(string Label, string Value)> facts)
    {
        foreach (var some in facts.Chunk(FieldsAtOnce))
        {
            var fields = new JsonArray([.. some.Select(fact => Plain($"{fact.Label}: {fact.Value}"))]);
            blocks.Add((JsonNode)Block("section", ("fields", fields)));
        }
    }

    private static JsonObject Block(string type, (string Name, JsonNode Value) part) =>
        new() { ["type"] = type, [part.Name] = part.Value };

    private static JsonObject Plain(string text) =>
        new()
        {
            ["type"] = "plain_text",
            ["text"] = Escape(text),
            ["emoji"] = false,
        };

    private static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal);
}
