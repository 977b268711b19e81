namespace CredBroker.Core.Policy;

/// <summary>What a limit counts together.</summary>
public enum LimitScope
{
    /// <summary>One running instance of a workload; the token's subject where there is none.</summary>
    Instance,

    /// <summary>All instances of a workload; the token's subject where it has none.</summary>
    Workload,

    /// <summary>One task of a process.</summary>
    Task,

    /// <summary>A business process.</summary>
    Process,

    /// <summary>An entry of the catalogue.</summary>
    Credential,
}
