namespace CredBroker.Core.Owners;

/// <summary>What one directory said when it was asked for owners one after the other.</summary>
internal sealed class DirectoryPass
{
    private readonly List<(string Subject, DirectoryAnswer.Gone Said)> _gone = [];

    /// <summary>Who is gone, and in which words of its.</summary>
    public IReadOnlyList<(string Subject, DirectoryAnswer.Gone Said)> Gone => _gone;

    /// <summary>How many are there.</summary>
    public int Present { get; private set; }

    /// <summary>Of how many it said whether they are there.</summary>
    public int Answered => Present + _gone.Count;

    /// <summary>What came instead, of the first of whom it did not say it.</summary>
    public string Why { get; private set; } = "";

    /// <summary>The first who was not asked for; null where everybody was.</summary>
    public string? Next { get; private set; }

    /// <summary>
    /// Asks for them in this order, until too many in a row are not known or the time is over. Who was being asked for then
    /// is the first of the next pass, so that everybody's turn comes.
    /// </summary>
    public static async ValueTask<DirectoryPass> RunAsync(
        IPeopleDirectory directory,
        IReadOnlyList<string> subjects,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var pass = new DirectoryPass();
        using var limit = new CancellationTokenSource(DirectoryCheck.PassLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var inARow = 0;
        foreach (var subject in subjects)
        {
            if (inARow == DirectoryCheck.MaxUnknownInARow)
            {
                pass.Next = subject;
                break;
            }

            try
            {
                either.Token.ThrowIfCancellationRequested();
                var answer = await directory.FindAsync(subject, either.Token);
                pass.Take(subject, answer);
                inARow = answer is DirectoryAnswer.Unknown ? inARow + 1 : 0;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                pass.Take(subject, new DirectoryAnswer.Unknown("it was too slow to be asked for everybody"));
                pass.Next = subject;
                break;
            }
        }

        return pass;
    }

    private void Take(string subject, DirectoryAnswer answer)
    {
        switch (answer)
        {
            case DirectoryAnswer.Present:
                Present++;
                break;
            case DirectoryAnswer.Gone said:
                _gone.Add((subject, said));
                break;
            case DirectoryAnswer.Unknown said:
                Why = Why.Length == 0 ? said.Why : Why;
                break;
        }
    }
}
