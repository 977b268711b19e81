using CredBroker.Cel;
using CredBroker.Cel.Checking;
using CredBroker.Cel.Values;

namespace CredBroker.UnitTests.Cel;

/// <summary>A frame over named values, for expressions outside a policy.</summary>
internal sealed class CelBindings(IReadOnlyList<CelValue> values, int locals, int steps = CelLimits.Steps)
    : CelFrame(locals, steps)
{
    public override CelValue Read(int slot) => slot < values.Count ? values[slot] : CelValue.Fail("not bound");

    /// <summary>Compiles and runs an expression that reads no names.</summary>
    public static CelValue Run(string source, bool checkTypes = true)
    {
        var faults = new List<CelFault>();
        var program = CelProgram.Compile(source, new CelSchema(), faults, checkTypes);
        Assert.True(program is not null, string.Join("; ", faults));
        return program.Run(new CelBindings([], program.Locals));
    }

    public static IReadOnlyList<CelFault> FaultsOf(string source, CelSchema? schema = null)
    {
        var faults = new List<CelFault>();
        Assert.Null(CelProgram.Compile(source, schema ?? new CelSchema(), faults));
        return faults;
    }
}
