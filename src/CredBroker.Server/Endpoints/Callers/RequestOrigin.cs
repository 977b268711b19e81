using System.Diagnostics;
using CredBroker.Core.Requests;
using CredBroker.Server.Hosting;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>What the broker notes of a call, whoever makes it.</summary>
internal static class RequestOrigin
{
    /// <summary>The W3C trace id: in the problem, the log and the audit event alike.</summary>
    public static string? TraceId(HttpContext http) => Activity.Current?.TraceId.ToHexString() ?? http.TraceIdentifier;

    /// <summary>Where the call came from. No forwarded header is believed: anyone could write it.</summary>
    public static CallContext Of(HttpContext http) =>
        new(TraceId(http), RemoteAddress.Of(http.Connection.RemoteIpAddress));
}
