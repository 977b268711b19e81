namespace CredBroker.Cel.Values;

/// <summary>
/// What one decision runs in: where names are read from, how many steps are left, and the variables of the macros that
/// are running.
/// </summary>
internal abstract class CelFrame(int locals, int steps = CelLimits.Steps)
{
    public static readonly CelValue OutOfSteps = CelValue.Fail("the decision took too many steps");

    private readonly CelValue[] _locals = locals == 0 ? [] : new CelValue[locals];
    private int _stepsLeft = steps;

    /// <summary>
    /// Whether the cap was reached. It is looked at after every condition: no operator can absorb it.
    /// </summary>
    public bool IsExhausted => _stepsLeft < 0;

    /// <summary>The value of the schema's path with this number.</summary>
    public abstract CelValue Read(int slot);

    public ref CelValue Local(int index) => ref _locals[index];

    /// <summary>
    /// Pays for work. False once the cap is reached; the caller then answers <see cref="OutOfSteps"/>.
    /// </summary>
    public bool Spend(int steps)
    {
        if (_stepsLeft >= 0)
        {
            _stepsLeft -= steps;
        }

        return _stepsLeft >= 0;
    }

    /// <summary>Pays for touching so many characters or bytes.</summary>
    public bool SpendOnText(int length) => Spend(1 + (length >> 6));
}
