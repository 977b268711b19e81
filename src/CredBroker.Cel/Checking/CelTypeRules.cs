using CredBroker.Cel.Nodes;
using CredBroker.Cel.Values;

namespace CredBroker.Cel.Checking;

/// <summary>Operators whose operands' types depend on each other.</summary>
/// <param name="Apply">Runs it.</param>
/// <param name="Check">The result's type, or null where it does not take these.</param>
internal sealed record CelTypeRule(Func<CelFrame, CelValue, CelValue, CelValue> Apply, Func<CelType[], CelType?> Check);

/// <inheritdoc cref="CelTypeRule"/>
internal static class CelTypeRules
{
    private static readonly CelTypeRule Equal = new(CelOperators.Equal, SameType);
    private static readonly CelTypeRule NotEqual = new(CelOperators.NotEqual, SameType);
    private static readonly CelTypeRule In = new(CelOperators.In, Member);
    private static readonly CelTypeRule Index = new(CelOperators.Index, Element);
    private static readonly CelTypeRule Add = new(CelOperators.Add, Sum);

    public static CelTypeRule? Find(string function) =>
        function switch
        {
            "_==_" => Equal,
            "_!=_" => NotEqual,
            "@in" => In,
            "_[_]" => Index,
            "_+_" => Add,
            _ => null,
        };

    private static CelType? SameType(CelType[] types) => types[0].Fits(types[1]) ? CelType.Bool : null;

    private static CelType? Member(CelType[] types) =>
        types[1] switch
        {
            { Kind: CelKind.Dyn } => CelType.Bool,
            { Kind: CelKind.List, Element: { } element } when types[0].Fits(element) => CelType.Bool,
            { Kind: CelKind.Map, Key: { } key } when types[0].Fits(key) => CelType.Bool,
            _ => null,
        };

    private static CelType? Element(CelType[] types) =>
        types[0] switch
        {
            { Kind: CelKind.Dyn } => CelType.Dyn,
            { Kind: CelKind.List, Element: { } element } when types[1].Fits(CelType.Int) => element,
            // Keys of several numeric types find each other.
            { Kind: CelKind.Map, Key: { } key, Element: { } value }
                when types[1].Fits(key) || (CelEquality.IsNumber(types[1].Kind) && CelEquality.IsNumber(key.Kind)) =>
                value,
            _ => null,
        };

    private static CelType? Sum(CelType[] types)
    {
        if (types[0].Kind == CelKind.List && types[1].Kind == CelKind.List)
        {
            return CelType.Join(types[0], types[1]);
        }

        var fitting = CelFunctions
            .Find("_+_", isMethod: false, arity: 2)!
            .Overloads.Where(overload => overload.Takes.Zip(types).All(pair => pair.First.Fits(pair.Second)))
            .ToList();
        if (fitting.Count > 0)
        {
            return fitting.Count == 1 ? fitting[0].Gives : CelType.Dyn;
        }

        var mayBeLists =
            types.Any(type => type.Kind == CelKind.Dyn) && types.All(type => type.Kind is CelKind.Dyn or CelKind.List);
        return mayBeLists ? CelType.Dyn : null;
    }
}
