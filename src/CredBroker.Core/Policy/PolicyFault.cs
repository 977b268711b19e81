namespace CredBroker.Core.Policy;

/// <summary>
/// Something about a policy document, and where: a fault keeps it from being applied, a warning of the linter does not.
/// </summary>
/// <param name="Line">From 1; 0 where it is about the document as a whole.</param>
/// <param name="Column">From 1.</param>
/// <param name="Message">What is wrong and, where that is known, what to write instead.</param>
public sealed record PolicyFault(int Line, int Column, string Message)
{
    /// <summary><c>line 3, column 5: …</c></summary>
    public override string ToString() => Line == 0 ? Message : $"line {Line}, column {Column}: {Message}";
}
