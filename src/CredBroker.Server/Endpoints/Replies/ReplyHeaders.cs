using CredBroker.Server.Endpoints.Input;

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

        // The listener reads no such body, and closes the connection after the reply. It does not say so by itself, and the
        // caller's next request would be lost with it (RFC 9112, section 9.6).
        if (response.HttpContext.Request.ContentLength > RequestBody.MaxBytes)
        {
            headers.Connection = "close";
        }
    }
}
