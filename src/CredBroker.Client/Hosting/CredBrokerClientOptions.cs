namespace CredBroker.Client;

/// <summary>What <see cref="CredBrokerClientServices.AddCredBrokerClient"/> needs to know.</summary>
public sealed class CredBrokerClientOptions
{
    /// <summary>The broker's address: https, or http on loopback only. Required.</summary>
    public Uri? Address { get; set; }

    /// <summary>
    /// Gives the identity token; where the process runs decides unless set, as <see cref="TokenSource.Detect"/>
    /// says, with the address as the audience.
    /// </summary>
    public ITokenSource? TokenSource { get; set; }

    /// <summary>How long a call may take; 60 seconds unless set.</summary>
    public TimeSpan Timeout { get; set; } = BrokerConnection.DefaultTimeout;
}
