namespace CredBroker.Core.State;

/// <summary>The fields of a <see cref="LeaseSelector"/> whose values are names that somebody may mistype.</summary>
public enum SelectorField
{
    /// <summary>An entry of the policy's <c>agents</c>.</summary>
    Agent,

    /// <summary>The workload's name.</summary>
    Workload,

    /// <summary>One running instance.</summary>
    Instance,

    /// <summary>The token's subject.</summary>
    Subject,

    /// <summary>A task's id.</summary>
    Task,

    /// <summary>A business process.</summary>
    Process,

    /// <summary>A catalogue entry.</summary>
    Credential,

    /// <summary>The process owner's subject.</summary>
    Owner,

    /// <summary>The identity's issuer.</summary>
    Issuer,

    /// <summary>The SPIFFE trust domain.</summary>
    TrustDomain,
}
