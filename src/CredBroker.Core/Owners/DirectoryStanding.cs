namespace CredBroker.Core.Owners;

/// <summary>How far one directory's word goes at this broker.</summary>
public sealed record DirectoryStanding
{
    /// <summary>The issuer whose people it knows.</summary>
    public required string Issuer { get; init; }

    /// <summary>When it last said of every owner whether they are there; the start of the broker where it never did.</summary>
    public required DateTimeOffset KnownAt { get; init; }

    /// <summary>Of how many owners it did not say it when it was asked last.</summary>
    public int Unknown { get; init; }

    /// <summary>What came instead, of the first of them; for the log.</summary>
    public string Why { get; init; } = "";

    /// <summary>How many were gone when it was asked last and are not believed to be: too many at once, or nobody was found.</summary>
    public int Doubted { get; init; }

    /// <summary>How many are gone by its word and could not be retired when it was asked last; they are tried again soon.</summary>
    public int NotRetired { get; init; }

    /// <summary>Of how many it said at all whether they are there.</summary>
    public int Answered { get; init; }
}
