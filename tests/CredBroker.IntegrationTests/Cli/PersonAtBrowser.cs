using System.Net;
using System.Text.RegularExpressions;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>A person at a browser: fills in each form that comes and sends it, until a page has none.</summary>
internal sealed partial class PersonAtBrowser(string name) : IDisposable
{
    private readonly HttpClient _http = new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            CookieContainer = new CookieContainer(),
            AllowAutoRedirect = true,
        }
    );

    /// <summary>Goes to an address and through all its forms; gives the last page.</summary>
    public async Task<string> VisitAsync(Uri address)
    {
        var page = await _http.GetAsync(address);
        for (var i = 0; i < 10; i++)
        {
            var text = await page.Content.ReadAsStringAsync();
            Assert.True(page.IsSuccessStatusCode, $"{page.RequestMessage!.RequestUri}: {page.StatusCode} {text}");
            if (Form().Match(text) is not { Success: true } form)
            {
                return text;
            }

            var fields = new Dictionary<string, string> { ["login"] = name, ["password"] = "anything" };
            foreach (Match input in Input().Matches(text))
            {
                fields[Attribute(input.Value, "name")] = Attribute(input.Value, "value");
            }

            var next = new Uri(page.RequestMessage!.RequestUri!, WebUtility.HtmlDecode(form.Groups[1].Value));
            page = await _http.PostAsync(next, new FormUrlEncodedContent(fields));
        }

        throw new InvalidOperationException("There is no end to the forms.");
    }

    public void Dispose() => _http.Dispose();

    private static string Attribute(string input, string attribute) =>
        WebUtility.HtmlDecode(Regex.Match(input, $"\\b{attribute}=\"([^\"]*)\"").Groups[1].Value);

    [GeneratedRegex("<form[^>]*\\baction=\"([^\"]+)\"")]
    private static partial Regex Form();

    [GeneratedRegex("<input[^>]*type=\"hidden\"[^>]*>")]
    private static partial Regex Input();
}
