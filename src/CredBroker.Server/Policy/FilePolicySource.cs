using CredBroker.Core.Policy.Document;
using CredBroker.Core.PolicyVersions;

namespace CredBroker.Server.Policy;

/// <summary>
/// The policy in a file. The file system's notices are a hint that saves waiting; the contents are the truth, compared
/// at an interval too, because notices are lost on network file systems and in mounted volumes, and editors replace
/// files by renaming.
/// </summary>
internal sealed class FilePolicySource : IPolicySource, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // A writer that fills the file piece by piece must not have its first half applied: half a policy may lack its deny
    // rules.
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a change goes unseen at most, where there is no notice of it.</summary>
    internal static readonly TimeSpan LongestWait = Interval + Settling + Settling;

    // Stands for a file that is there and cannot be read: a change like any other, once, so that the fault is seen.
    private static readonly PolicyDocument Unreadable = new() { Name = "", Text = "\0" };

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly FileSystemWatcher? _watcher;
    private volatile TaskCompletionSource _notice = NewNotice();
    private volatile PolicyDocument? _lastRead;
    private volatile PolicyDocument? _lastSeen;

    public FilePolicySource(string path, TimeProvider time)
    {
        _path = Path.GetFullPath(path);
        _time = time;
        _watcher = Watch(Path.GetDirectoryName(_path)!);
    }

    /// <inheritdoc/>
    public async ValueTask<PolicyDocument?> ReadAsync(CancellationToken cancellationToken)
    {
        _lastRead = Unreadable;
        var document = await PolicyFile.ReadAsync(_path, cancellationToken);
        _lastRead = document;
        return document;
    }

    /// <inheritdoc/>
    public async Task WaitForChangeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Taken before the contents are compared, so that a notice in between is not lost.
            var noticed = _notice.Task;
            var seen = await PeekAsync(cancellationToken);
            if (!SameContent(seen, _lastRead) && await IsSettledAsync(seen, cancellationToken))
            {
                return;
            }

            using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(noticed, Task.Delay(Interval, _time, wait.Token));
            await wait.CancelAsync();
            // Notices come in bursts, and for other files of the folder too.
            await Task.Delay(Settling, _time, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _watcher?.Dispose();

    private async Task<bool> IsSettledAsync(PolicyDocument? seen, CancellationToken cancellationToken)
    {
        await Task.Delay(Settling, _time, cancellationToken);
        return SameContent(await PeekAsync(cancellationToken), seen);
    }

    private async ValueTask<PolicyDocument?> PeekAsync(CancellationToken cancellationToken)
    {
        try
        {
            return _lastSeen = await PolicyFile.ReadAsync(_path, _lastSeen, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Unreadable;
        }
    }

    private FileSystemWatcher? Watch(string folder)
    {
        try
        {
            // The whole folder: renames over the file, its schemas, and the links that a mounted volume swaps.
            var folderWatcher = new FileSystemWatcher(folder)
            {
                NotifyFilter =
                    NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.CreationTime,
            };
            folderWatcher.Changed += (_, _) => Notice();
            folderWatcher.Created += (_, _) => Notice();
            folderWatcher.Deleted += (_, _) => Notice();
            folderWatcher.Renamed += (_, _) => Notice();
            folderWatcher.Error += (_, _) => Notice();
            folderWatcher.EnableRaisingEvents = true;
            return folderWatcher;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException)
        {
            // No notices here (the system's limit of watches is reached): comparing at an interval is enough.
            return null;
        }
    }

    private void Notice() => Interlocked.Exchange(ref _notice, NewNotice()).TrySetResult();

    private static TaskCompletionSource NewNotice() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static bool SameContent(PolicyDocument? one, PolicyDocument? other) =>
        one is null || other is null
            ? ReferenceEquals(one, other)
            : one.Text == other.Text
                && one.Schemas.Count == other.Schemas.Count
                && one.Schemas.All(schema =>
                    other.Schemas.TryGetValue(schema.Key, out var text) && text == schema.Value
                );
}
