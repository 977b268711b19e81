using System.Text.Json.Nodes;
using CredBroker.Client;

namespace CredBroker.Server.Notifications;

/// <summary>
/// A message for Microsoft Teams: an adaptive card. What is not the broker's own words stands in text runs, which know no
/// markup; without an entity in the card, there is no mention. The one link is the broker's, as text, and there are no
/// buttons: a click in a chat proves nobody.
/// </summary>
internal static class TeamsMessage
{
    public static JsonObject Of(ApprovalNotification told)
    {
        var facts = MessageFacts.Of(told);
        var body = new JsonArray(
            new JsonObject
            {
                ["type"] = "TextBlock",
                ["text"] = facts.Title,
                ["size"] = "Medium",
                ["weight"] = "Bolder",
                ["wrap"] = true,
            }
        );
        AddFacts(body, facts.Known);
        if (facts.Said.Count > 0)
        {
            body.Add((JsonNode)Runs(Run(MessageFacts.SaidTitle, isBold: true)));
            AddFacts(body, facts.Said);
        }

        body.Add(
            (JsonNode)(
                told.Link is null
                    ? Runs(Run(facts.Command, isBold: false))
                    : new()
                    {
                        ["type"] = "TextBlock",
                        ["text"] = $"[Look at the request]({told.Link})",
                        ["wrap"] = true,
                    }
            )
        );
        return new()
        {
            ["type"] = "message",
            ["attachments"] = new JsonArray(
                new JsonObject
                {
                    ["contentType"] = "application/vnd.microsoft.card.adaptive",
                    ["content"] = new JsonObject
                    {
                        ["$schema"] = "http://adaptivecards.io/schemas/adaptive-card.json",
                        ["type"] = "AdaptiveCard",
                        ["version"] = "1.4",
                        ["body"] = body,
                    },
                }
            ),
        };
    }

    private static void AddFacts(JsonArray body, IReadOnlyList<(string Label, string Value)> facts)
    {
        foreach (var (label, value) in facts)
        {
            body.Add((JsonNode)Runs(Run($"{label}: ", isBold: true), Run(value, isBold: false)));
        }
    }

    private static JsonObject Runs(params JsonNode[] runs) =>
        new() { ["type"] = "RichTextBlock", ["inlines"] = new JsonArray(runs) };

    private static JsonObject Run(string text, bool isBold) =>
        new()
        {
            ["type"] = "TextRun",
            ["text"] = text,
            ["weight"] = isBold ? "Bolder" : "Default",
        };
}
