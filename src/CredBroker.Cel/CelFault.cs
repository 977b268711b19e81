namespace CredBroker.Cel;

/// <summary>Something wrong with a condition, found before it is run.</summary>
/// <param name="Offset">The character it is about, from 0.</param>
/// <param name="Message">What is wrong and, where that is known, what to write instead.</param>
public sealed record CelFault(int Offset, string Message);
