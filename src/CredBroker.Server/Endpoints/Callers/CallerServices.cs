namespace CredBroker.Server.Endpoints.Callers;

/// <summary>Puts what tells callers apart, and bounds them, into the host.</summary>
internal static class CallerServices
{
    public static void AddCallers(this IServiceCollection services)
    {
        services.AddSingleton<RequestGate>().AddSingleton<PeopleActions>();
        services.AddTransient<ProofBinding>().AddTransient<PersonAuthentication>();
        services.AddAuthenticationCore(options =>
        {
            options.AddScheme<ProofBinding>(ProofBinding.Scheme, displayName: null);
            options.AddScheme<PersonAuthentication>(PersonAuthentication.Scheme, displayName: null);
        });
        services.AddAuthorization(options => options.FallbackPolicy = CalledBy.Nobody);
    }

    /// <summary>
    /// After routing, which finds the endpoint and what it declares; before the handlers, which read bodies.
    /// </summary>
    public static void UseCallers(this WebApplication app)
    {
        app.UseMiddleware<ListenerGate>();
        app.UseMiddleware<RequestGate>();
        app.UseAuthentication();
        app.UseAuthorization();
    }
}
