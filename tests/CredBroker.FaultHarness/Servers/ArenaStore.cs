using System.Data.Common;

namespace CredBroker.FaultHarness.Servers;

/// <summary>The brokers' store as the harness sees it: what leads a broker there, and a way in past the proxies.</summary>
internal abstract class ArenaStore : IAsyncDisposable
{
    /// <summary>How often it may have forgotten what it had answered: a replica that was behind took its place.</summary>
    public virtual int Losses => 0;

    /// <summary>What leads this broker there.</summary>
    /// <param name="broker">Its number, from 0.</param>
    public abstract IReadOnlyDictionary<string, string> Settings(int broker);

    /// <summary>A connection to read by, also while every broker is dead.</summary>
    public abstract Task<DbConnection> OpenAsync();

    /// <summary>Whether this is what reading it says while it is broken.</summary>
    public abstract bool IsBroken(Exception error);

    /// <summary>Puts what it holds into this folder.</summary>
    public abstract Task KeepAsync(string folder);

    public abstract ValueTask DisposeAsync();
}
