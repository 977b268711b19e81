namespace CredBroker.Cel.Syntax;

/// <summary>Leaves the parser at the first syntax fault; never leaves <see cref="CelProgram"/>.</summary>
internal sealed class CelSyntaxException(int offset, string message) : Exception(message)
{
    public CelFault Fault { get; } = new(offset, message);
}
