using System.Text.Json.Serialization.Metadata;

namespace CredBroker.Server.Endpoints.Replies;

/// <summary>A JSON reply by source-generated metadata.</summary>
internal sealed class Reply<T>(int status, T value, JsonTypeInfo<T> type) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status;
        return httpContext.Response.WriteAsJsonAsync(value, type, "application/json", httpContext.RequestAborted);
    }
}
