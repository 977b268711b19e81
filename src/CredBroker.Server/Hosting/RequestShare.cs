namespace CredBroker.Server.Hosting;

/// <summary>Whose requests share room. Each may use the room of those before it, and never that of those after it.</summary>
internal enum RequestShare
{
    /// <summary>Requests that anybody may make: nothing is known of whoever makes them.</summary>
    Strangers,

    /// <summary>Verified agents.</summary>
    Agents,

    /// <summary>Verified people who look at something.</summary>
    Readers,

    /// <summary>Verified admins who order something.</summary>
    Orders,
}
