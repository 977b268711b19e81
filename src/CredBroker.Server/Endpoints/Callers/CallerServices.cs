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
        app.Use(app.Services.GetRequiredService<RequestGate>().InvokeAsync);

        // Each endpoint's policy names the scheme that tells its caller, and there is no default one: an authentication
        // middleware before this would do nothing, for each request.
        app.UseAuthorization();
    }
}
