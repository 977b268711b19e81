namespace CredBroker.Core.State;

/// <summary>A part of the revocations that are due: those of one backend in one lane.</summary>
public readonly record struct BackendWork(string Backend, RevocationLane Lane);
