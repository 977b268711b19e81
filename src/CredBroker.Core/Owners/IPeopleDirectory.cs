namespace CredBroker.Core.Owners;

/// <summary>The directory behind an issuer of people's tokens: it knows whether one of them is still there.</summary>
public interface IPeopleDirectory
{
    /// <summary>The issuer whose people it knows.</summary>
    string Issuer { get; }

    /// <summary>How often it is asked.</summary>
    TimeSpan Every { get; }

    /// <summary>
    /// How many may be gone at once though they are more than half of those whom it was asked for; beyond that nobody is.
    /// </summary>
    int MaxGone { get; }

    /// <summary>What it says of this subject of the issuer's. Never fails: what went wrong is an answer.</summary>
    ValueTask<DirectoryAnswer> FindAsync(string subject, CancellationToken cancellationToken);
}
