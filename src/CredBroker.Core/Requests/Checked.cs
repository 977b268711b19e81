using System.Diagnostics.CodeAnalysis;

namespace CredBroker.Core.Requests;

/// <summary>
/// Something that a caller sent, after its checks: the value, or the refusal. The value cannot be had without asking
/// which of the two it is, so that a forgotten check does not compile.
/// </summary>
public sealed class Checked<T>
    where T : class
{
    private readonly T? _value;
    private readonly Refusal? _refusal;

    private Checked(T? value, Refusal? refusal) => (_value, _refusal) = (value, refusal);

    /// <summary>Whether the checks passed; exactly one of the two is there.</summary>
    public bool Passes([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Refusal? refusal)
    {
        (value, refusal) = (_value, _refusal);
        return value is not null;
    }

    /// <summary>The next check, made only if this one passed.</summary>
    public Checked<TNext> Then<TNext>(Func<T, Checked<TNext>> check)
        where TNext : class => Passes(out var value, out var refusal) ? check(value) : refusal;

    /// <summary>What passed.</summary>
    public static implicit operator Checked<T>(T value) => new(value, null);

    /// <summary>What did not.</summary>
    public static implicit operator Checked<T>(Refusal refusal) => new(null, refusal);
}
