namespace CredBroker.Core.Owners;

/// <summary>What a directory says of a person.</summary>
public abstract record DirectoryAnswer
{
    private DirectoryAnswer() { }

    /// <summary>They are there, and active.</summary>
    public sealed record Present : DirectoryAnswer;

    /// <summary>It has said in its own words that they are not.</summary>
    /// <param name="Reason">Which words: kept with the retirement.</param>
    /// <param name="IsFound">Whether it knows the person, and says that they are not active; else it knows nobody such.</param>
    public sealed record Gone(string Reason, bool IsFound) : DirectoryAnswer;

    /// <summary>It has said nothing that would prove the one or the other.</summary>
    /// <param name="Why">What came instead; for the log. It has no secret in it.</param>
    public sealed record Unknown(string Why) : DirectoryAnswer;
}
