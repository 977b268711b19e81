namespace CredBroker.Core.State;

/// <summary>What became of a question to people, of which systems outside are told.</summary>
public enum NotificationKind
{
    /// <summary>It was asked.</summary>
    Asked,

    /// <summary>Nobody has decided for a while: more people are asked.</summary>
    Escalated,

    /// <summary>The last one who had to has agreed.</summary>
    Approved,

    /// <summary>A person refused.</summary>
    Denied,

    /// <summary>Its time was over.</summary>
    Expired,

    /// <summary>Something took it back.</summary>
    Voided,
}
