using CredBroker.Benchmarks.Load;

namespace CredBroker.Benchmarks;

/// <summary>Exchange requests as bytes.</summary>
internal static class ExchangeRequests
{
    /// <summary>One request per token, each for a task of its own.</summary>
    public static byte[][] Of(IEnumerable<string> tokens, string credential, string more = "") =>
        [
            .. tokens.Select(
                (token, i) =>
                    HttpConnection.Request(
                        "POST",
                        "/v1/credentials",
                        $"Authorization: Bearer {token}\r\n",
                        $$"""
                        {"task":{"id":"task-{{i}}","process":"monthly-reports",
                         "purpose":"Write the report of the month"},
                         "credential":"{{credential}}","actions":["read"]{{more}}}
                        """
                    )
            ),
        ];
}
