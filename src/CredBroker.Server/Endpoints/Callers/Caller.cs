namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// Who an endpoint is for. Each endpoint declares exactly one (<see cref="CalledBy"/>); authentication, the gate and the
/// OpenAPI document read nothing else to tell endpoints apart.
/// </summary>
internal enum Caller
{
    /// <summary>An agent, by a workload's proof, which Core verifies as a step of each operation.</summary>
    Agent,

    /// <summary>A person, by a token of an issuer for people, with a role that the endpoint takes.</summary>
    Person,

    /// <summary>An agent or a person; which of the two it is, the endpoint learns from the proof.</summary>
    AgentOrPerson,

    /// <summary>Whoever fetches metrics, at the listener for that.</summary>
    Monitor,

    /// <summary>Whoever asks; nothing about the caller is looked at.</summary>
    Anyone,
}
