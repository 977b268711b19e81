namespace CredBroker.Cel;

/// <summary>
/// What one decision runs in: where names are read from, how many steps are left, and the variables of the macros that
/// are running. Several conditions of one decision may run in one frame, one after another, and share its steps; a
/// frame is not for two threads.
/// </summary>
/// <param name="locals">As many as the most that a program run in it has (<see cref="CelProgram.Locals"/>).</param>
/// <param name="steps">How many steps all that is run in it may take together.</param>
public abstract class CelFrame(int locals, int steps = CelLimits.Steps)
{
    internal static readonly CelValue OutOfSteps = CelValue.Fail("the decision took too many steps");

    private readonly CelValue[] _locals = locals == 0 ? [] : new CelValue[locals];
    private int _stepsLeft = steps;

    /// <summary>
    /// Whether the cap was reached. It is looked at after every condition: no operator can absorb it.
    /// </summary>
    internal bool IsExhausted => _stepsLeft < 0;

    /// <summary>The value of the schema's path with this number.</summary>
    public abstract CelValue Read(int slot);

    internal ref CelValue Local(int index) => ref _locals[index];

    /// <summary>
    /// Pays for work. False once the cap is reached; the caller then answers <see cref="OutOfSteps"/>.
    /// </summary>
    internal bool Spend(int steps)
    {
        if (_stepsLeft >= 0)
        {
            _stepsLeft -= steps;
        }

        return _stepsLeft >= 0;
    }

    /// <summary>Pays for touching so many characters or bytes.</summary>
    internal bool SpendOnText(int length) => Spend(1 + (length >> 6));
}
