namespace CredBroker.UnitTests.Policy.Oracle;

/// <summary>
/// A condition as a tree: the text that the product compiles, and what it means, said once more without its evaluator.
/// Null is an error.
/// </summary>
internal abstract record Condition
{
    private Condition() { }

    /// <summary>The condition in CEL.</summary>
    public abstract string Text { get; }

    /// <summary>True, false, or null where it has no answer.</summary>
    public abstract bool? Holds(Facts facts);

    /// <summary>A comparison, a membership, a test of one thing.</summary>
    public sealed record Atom(string Cel, Func<Facts, bool?> Meaning) : Condition
    {
        public override string Text => Cel;

        public override bool? Holds(Facts facts) => Meaning(facts);
    }

    /// <summary>False if one side is, whatever the other is; else an error if one side is.</summary>
    public sealed record And(Condition Left, Condition Right) : Condition
    {
        public override string Text => $"({Left.Text}) && ({Right.Text})";

        public override bool? Holds(Facts facts) =>
            (Left.Holds(facts), Right.Holds(facts)) switch
            {
                (false, _) or (_, false) => false,
                (true, true) => true,
                _ => null,
            };
    }

    /// <summary>True if one side is, whatever the other is; else an error if one side is.</summary>
    public sealed record Or(Condition Left, Condition Right) : Condition
    {
        public override string Text => $"({Left.Text}) || ({Right.Text})";

        public override bool? Holds(Facts facts) =>
            (Left.Holds(facts), Right.Holds(facts)) switch
            {
                (true, _) or (_, true) => true,
                (false, false) => false,
                _ => null,
            };
    }

    /// <summary>The opposite; an error stays one.</summary>
    public sealed record Not(Condition Inner) : Condition
    {
        public override string Text => $"!({Inner.Text})";

        public override bool? Holds(Facts facts) => !Inner.Holds(facts);
    }

    /// <summary>Only the side that is chosen is looked at; a choice that fails is an error.</summary>
    public sealed record Choice(Condition Test, Condition Then, Condition Otherwise) : Condition
    {
        public override string Text => $"({Test.Text}) ? ({Then.Text}) : ({Otherwise.Text})";

        public override bool? Holds(Facts facts) =>
            Test.Holds(facts) switch
            {
                true => Then.Holds(facts),
                false => Otherwise.Holds(facts),
                null => null,
            };
    }
}
