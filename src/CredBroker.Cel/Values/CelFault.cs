namespace CredBroker.Cel.Values;

/// <summary>Something wrong with a condition, found before it is run.</summary>
/// <param name="Offset">The character it is about, from 0.</param>
/// <param name="Message">What is wrong and, where that is known, what to write instead.</param>
internal sealed record CelFault(int Offset, string Message);

/// <summary>Leaves the parser at the first syntax fault; never leaves <see cref="CelProgram"/>.</summary>
internal sealed class CelSyntaxException(int offset, string message) : Exception(message)
{
    public CelFault Fault { get; } = new(offset, message);
}
