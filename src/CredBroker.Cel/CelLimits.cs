namespace CredBroker.Cel;

/// <summary>The caps that make a condition's cost bounded before it is ever run.</summary>
public static class CelLimits
{
    /// <summary>Characters of one condition.</summary>
    public const int SourceLength = 16_384;

    /// <summary>
    /// Nesting of one condition. Parser and evaluator recurse at most this deep, because a stack overflow cannot be
    /// caught.
    /// </summary>
    public const int Depth = 100;

    /// <summary>Steps of one whole decision: every agent's condition and every rule together.</summary>
    public const int Steps = 100_000;
}
