namespace CredBroker.Client;

/// <summary>
/// The broker said no, or what came back was no answer of a broker. Its message never carries a token or a secret.
/// </summary>
public sealed class BrokerProblemException : Exception
{
    /// <summary>Wraps a problem.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="problem">What was read of the body; without a code where the body was no problem document.</param>
    public BrokerProblemException(int status, ProblemResponse problem)
        : base(Describe(status, problem))
    {
        Status = status;
        Problem = problem;
    }

    /// <summary>The HTTP status.</summary>
    public int Status { get; }

    /// <summary>The problem as the broker sent it.</summary>
    public ProblemResponse Problem { get; }

    /// <summary>The stable code, such as <c>CB2001</c>; null where the answer was not the broker's.</summary>
    public string? Code => Problem.Code;

    /// <summary>When trying again makes sense; null where it makes none.</summary>
    public TimeSpan? RetryAfter => Problem.RetryAfter is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    private static string Describe(int status, ProblemResponse problem) =>
        string.Join(
            ": ",
            new[] { problem.Code ?? $"HTTP {status}", problem.Title, problem.Detail }.Where(part =>
                !string.IsNullOrWhiteSpace(part)
            )
        );
}
