using System.Net;
using System.Text;
using System.Text.Json;
using CredBroker.Client;

namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>Requests and replies of the API as tests write and read them.</summary>
internal static class Api
{
    public static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    /// <summary>An exchange for the test policy's process.</summary>
    public static StringContent Exchange(
        string credential = "billing-readonly",
        string actions = "\"read\"",
        string task = "t-1",
        string more = ""
    ) =>
        Json(
            $$"""{"task":{"id":"{{task}}","process":"invoice-triage","purpose":"sort the invoices"}"""
                + $$""","credential":"{{credential}}","actions":[{{actions}}]{{more}}}"""
        );

    public static async Task<JsonElement> ReadAsync(this HttpResponseMessage response, HttpStatusCode expected)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode}, not {(int)expected}: {text}");
        return text.Length == 0 ? default : JsonElement.Parse(text);
    }

    /// <summary>The reply is a problem with this code and with what the table of codes says about it.</summary>
    public static async Task<JsonElement> ReadProblemAsync(this HttpResponseMessage response, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(
            response.Content.Headers.ContentType?.MediaType == "application/problem+json",
            $"{(int)response.StatusCode} {response.Content.Headers.ContentType}: {text}"
        );
        var problem = JsonElement.Parse(text);
        Assert.True(problem.GetProperty("code").GetString() == code, $"not {code}: {text}");
        var known = ErrorCodes.Find(code)!;
        Assert.Equal(known.Status, (int)response.StatusCode);
        Assert.Equal(known.Status, problem.GetProperty("status").GetInt32());
        Assert.Equal(known.Title, problem.GetProperty("title").GetString());
        Assert.NotEqual("", problem.GetProperty("detail").GetString());
        Assert.Equal(32, problem.GetProperty("traceId").GetString()!.Length);
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        return problem;
    }
}
