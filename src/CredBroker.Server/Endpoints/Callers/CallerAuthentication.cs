using CredBroker.Core.Callers;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Replies;
using Microsoft.AspNetCore.Authentication;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// What the two ways to tell a caller share. Implements <see cref="IAuthenticationHandler"/> itself: the framework's
/// base class would bring data protection along, whose key files nothing here needs. Made anew for each request.
/// </summary>
internal abstract class CallerAuthentication(RefusedCalls refusedCalls) : IAuthenticationHandler
{
    private HttpContext? _http;
    private Refusal? _refusal;

    protected HttpContext Http => _http ?? throw new InvalidOperationException("There is no request yet.");

    public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        _http = context;
        return Task.CompletedTask;
    }

    public abstract Task<AuthenticateResult> AuthenticateAsync();

    /// <summary>Refuses the call for the reason found, which is on record: or counted, where there are many.</summary>
    public async Task ChallengeAsync(AuthenticationProperties? properties)
    {
        var refusal = _refusal ?? throw new InvalidOperationException("A caller was challenged that was not refused.");
        await refusedCalls.RecordAsync(refusal, RequestOrigin.Of(Http), CancellationToken.None);
        await new Refused(refusal).ExecuteAsync(Http);
    }

    public abstract Task ForbidAsync(AuthenticationProperties? properties);

    protected AuthenticateResult Refuse(Refusal refusal)
    {
        _refusal = refusal;
        return AuthenticateResult.Fail(refusal.CodeText);
    }
}
