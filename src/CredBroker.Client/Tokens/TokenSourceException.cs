namespace CredBroker.Client;

/// <summary>No identity token could be read. Its message says where it was looked for, never what was found.</summary>
public sealed class TokenSourceException : Exception
{
    /// <summary>Says what is wrong and what to do about it.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="nextStep">What to do next.</param>
    /// <param name="isTransient">Whether trying again later may help with nothing else changed.</param>
    public TokenSourceException(string message, string nextStep, bool isTransient = false)
        : base(message) => (NextStep, IsTransient) = (nextStep, isTransient);

    /// <summary>What to do next.</summary>
    public string NextStep { get; }

    /// <summary>Whether trying again later may help with nothing else changed.</summary>
    public bool IsTransient { get; }
}
