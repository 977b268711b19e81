namespace CredBroker.Server.Endpoints.Replies;

/// <summary>
/// Headers of every reply. Nothing of the API may be cached, framed, sniffed or named to another site.
/// </summary>
internal static class ReplyHeaders
{
    public static void Set(HttpResponse response)
    {
        var headers = response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        if (response.HttpContext.Request.IsHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }
    }
}
