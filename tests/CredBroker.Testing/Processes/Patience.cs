namespace CredBroker.Testing.Processes;

/// <summary>
/// How long any test waits for what must happen. Tests wait for the state itself, and on a machine however busy only a
/// hang reaches this limit.
/// </summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
}
