namespace CredBroker.Core.PolicyVersions;

/// <summary>Where new versions come from. A store has one such place: its brokers are all set to the same.</summary>
public enum PolicySourceKind
{
    /// <summary>The broker's policy file, which is watched. Over the API nothing is applied, but an admin may go back.</summary>
    File,

    /// <summary>The API. A file only gives a store its first version; what is edited in it later changes nothing.</summary>
    Api,
}
