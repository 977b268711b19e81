namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// The room for checking signatures, which whoever sends a token makes the broker do. Half of the places are always there,
/// the others while the machine has nothing else to do, so that no flood of forged tokens takes the time of those who are
/// known already. While somebody waits, a place goes to the source that has the fewest, and of those to the one whose turn
/// is longest ago; alone, a source has all of them. What waits is bounded by what it keeps in memory, for each source and
/// in all, and where there is no room left the source that has most of it makes some.
/// </summary>
/// <param name="places">How many signatures are checked at once.</param>
/// <param name="isIdle">Whether nothing else waits for a processor.</param>
internal sealed class SignatureRoom(int places, Func<bool> isIdle)
{
    /// <summary>
    /// How many tokens of usual length of one source wait: as many as may come at once from all the agents behind one
    /// address that a broker's restart brings back. A long one counts as several.
    /// </summary>
    public const int MaxPerSource = 1024;

    /// <summary>How many characters of a token count as one.</summary>
    public const int UsualLength = 2048;

    /// <summary>How many of all sources wait.</summary>
    public const int MaxInAll = 8192;

    private readonly Lock _gate = new();
    private readonly int _always = Math.Max(1, places / 2);
    private readonly string?[] _taken = new string?[places]; // Whose each place is.
    private readonly Dictionary<string, Source> _waiting = new(StringComparer.Ordinal);
    private readonly LinkedList<Source> _turns = [];
    private readonly FullestFirst _fullest = new();
    private int _inside;
    private int _weight; // Of all that wait.

    public SignatureRoom()
        : this(Environment.ProcessorCount, () => ThreadPool.PendingWorkItemCount == 0) { }

    /// <summary>Waits for its turn; false where there is no room to wait in. Whoever got in leaves again.</summary>
    /// <param name="source">Where the token came from.</param>
    /// <param name="length">How many characters it has.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public ValueTask<bool> EnterAsync(string source, int length, CancellationToken cancellationToken)
    {
        Waiter? waiter;
        lock (_gate)
        {
            if (_weight == 0 && HasPlace)
            {
                Take(source);
                return new(true);
            }

            waiter = Join(source, Math.Max(1, (length + UsualLength - 1) / UsualLength));
        }

        return waiter is null ? new(false) : WaitAsync(waiter, cancellationToken);
    }

    /// <summary>The signature is checked.</summary>
    public void Leave(string source)
    {
        Waiter? next;
        lock (_gate)
        {
            _taken[Array.IndexOf(_taken, source)] = null;
            _inside--;
            if (_waiting.TryGetValue(source, out var own))
            {
                // It has had its turn.
                own.Places--;
                _turns.Remove(own.Turn);
                _turns.AddLast(own.Turn);
            }

            next = LetIn();
        }

        // More than one may go in where the machine has become idle.
        while (next is not null)
        {
            next.SetResult(true);
            lock (_gate)
            {
                next = LetIn();
            }
        }
    }

    private bool HasPlace => _inside < _always || (_inside < places && isIdle());

    private void Take(string source)
    {
        _taken[Array.IndexOf(_taken, null)] = source;
        _inside++;
    }

    private Waiter? LetIn()
    {
        if (_weight == 0 || !HasPlace)
        {
            return null;
        }

        var source = WithFewestPlaces();
        var next = source.Waiters.First!.Value;
        source.Places++;
        Quit(next);
        Take(source.Name);
        return next;
    }

    private async ValueTask<bool> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(
            (_, stop) =>
            {
                lock (_gate)
                {
                    if (waiter.Place.List is null)
                    {
                        return;
                    }

                    Quit(waiter);
                }

                waiter.SetCanceled(stop);
            },
            null
        );
        return await waiter.Task;
    }

    private Waiter? Join(string name, int weight)
    {
        var source = _waiting.GetValueOrDefault(name);
        var weighs = weight + (source?.Weight ?? 0);
        if (weighs > MaxPerSource)
        {
            return null;
        }

        while (_weight + weight > MaxInAll)
        {
            var fullest = _fullest.First;
            if (fullest.Weight <= weighs)
            {
                return null;
            }

            var pushedOut = fullest.Waiters.Last!.Value;
            Quit(pushedOut);
            pushedOut.SetResult(false);
        }

        if (source is null)
        {
            _waiting.Add(name, source = new(name) { Places = _taken.Count(taken => taken == name) });
            _turns.AddLast(source.Turn);
        }

        var waiter = new Waiter(source, weight);
        source.Waiters.AddLast(waiter.Place);
        Weigh(source, weight);
        return waiter;
    }

    private void Quit(Waiter waiter)
    {
        var source = waiter.Source;
        source.Waiters.Remove(waiter.Place);
        Weigh(source, -waiter.Weight);
        if (source.Waiters.Count == 0)
        {
            _turns.Remove(source.Turn);
            _waiting.Remove(source.Name);
        }
    }

    private void Weigh(Source source, int more)
    {
        _weight += more;
        _fullest.Move(source, source.Weight + more);
    }

    // No more sources have places than there are places, so that this looks at few.
    private Source WithFewestPlaces()
    {
        var fewest = _turns.First!.Value;
        for (var turn = _turns.First; turn is not null && fewest.Places > 0; turn = turn.Next)
        {
            fewest = turn.Value.Places < fewest.Places ? turn.Value : fewest;
        }

        return fewest;
    }

    /// <summary>Where tokens came from that wait.</summary>
    private sealed class Source
    {
        public Source(string name)
        {
            Name = name;
            Turn = new(this);
            Fullness = new(this);
        }

        public string Name { get; }

        public LinkedList<Waiter> Waiters { get; } = [];

        /// <summary>Its place in the order in which sources take turns.</summary>
        public LinkedListNode<Source> Turn { get; }

        /// <summary>Its place among those that are as full.</summary>
        public LinkedListNode<Source> Fullness { get; }

        public int Weight { get; set; }

        /// <summary>How many of its tokens are being checked.</summary>
        public int Places { get; set; }
    }

    private sealed class Waiter : TaskCompletionSource<bool>
    {
        public Waiter(Source source, int weight)
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
            (Source, Weight) = (source, weight);
            Place = new(this);
        }

        public Source Source { get; }

        public int Weight { get; }

        /// <summary>Its place in its source's queue; in none once it has its turn or waits no more.</summary>
        public LinkedListNode<Waiter> Place { get; }
    }

    /// <summary>The sources by their weight, so that the fullest is found without looking at all of them.</summary>
    private sealed class FullestFirst
    {
        private readonly LinkedList<Source>?[] _byWeight = new LinkedList<Source>?[MaxPerSource + 1];
        private int _most;

        public Source First => _byWeight[_most]!.First!.Value;

        public void Move(Source source, int weight)
        {
            source.Fullness.List?.Remove(source.Fullness);
            source.Weight = weight;
            if (weight > 0)
            {
                (_byWeight[weight] ??= []).AddLast(source.Fullness);
            }

            _most = Math.Max(_most, weight);
            while (_most > 0 && _byWeight[_most] is not { Count: > 0 })
            {
                _most--;
            }
        }
    }
}
