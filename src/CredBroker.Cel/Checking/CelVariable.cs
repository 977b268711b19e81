namespace CredBroker.Cel.Checking;

/// <summary>A declared path.</summary>
/// <param name="Path">As conditions write it.</param>
/// <param name="Slot">Its number, by which the frame reads it: its place in the schema.</param>
/// <param name="Type">Its type.</param>
internal sealed record CelVariable(string Path, int Slot, CelType Type);
