namespace CredBroker.Server.Endpoints.Callers;

/// <summary>Puts what tells callers apart, and bounds them, into the host.</summary>
internal static class CallerServices
{
    public static void AddCallers(this IServiceCollection services) => services.AddSingleton<PeopleActions>();

    /// <summary>
    /// After routing, which finds the endpoint and what it declares; before the handlers, which read bodies.
    /// </summary>
    public static void UseCallers(this WebApplication app) => app.UseMiddleware<CallerGate>();
}
