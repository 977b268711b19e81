using CredBroker.Core.Audit;

namespace CredBroker.Storage.Commit;

/// <summary>
/// The writer's connection to a database: a transaction for the batch, a savepoint for each change, and the newest
/// numbers of both. An engine's subclass says how each is done. Used by one thread.
/// </summary>
internal abstract class CommitSession : IDisposable
{
    /// <summary>The time of the batch, set by <see cref="Begin"/>.</summary>
    public DateTimeOffset Now { get; protected set; }

    /// <summary>
    /// The newest fence, policy version and audit record. Right after <see cref="Begin"/> as they are committed; then
    /// with what this transaction has changed so far.
    /// </summary>
    public StoreHead Head { get; set; }

    /// <summary>Whether the database still has the transaction; some errors end it at once.</summary>
    public abstract bool InTransaction { get; }

    /// <summary>Opens the transaction of a batch.</summary>
    /// <param name="batch">What will be applied in it: a session may read ahead what their guards compare with.</param>
    /// <param name="mayAssume">
    /// Whether the session may take for granted what is nearly always so (a row can be written, an update finds its row)
    /// and learn at the end of the batch whether it was. Where it was not, it throws
    /// <see cref="WrongAssumptionException"/> before anything is committed.
    /// </param>
    public abstract void Begin(IReadOnlyList<PendingCommit> batch, bool mayAssume);

    /// <summary>
    /// Lets go of what the processes before this one had claimed, if it is the only one; once, before anything else. Then
    /// none of those claims is anybody's.
    /// </summary>
    public abstract void TakeOver();

    /// <summary>
    /// Enters the audit stream that this process appends to, its own or one that it shares, and records that; once, in a
    /// transaction. Returns the number of the stream's newest record before that.
    /// </summary>
    public abstract long OpenStream();

    /// <summary>Records that this process appends no more; the last thing that it does.</summary>
    public abstract void CloseStream();

    /// <summary>Marks the place to which <see cref="RollbackToSavepoint"/> goes back.</summary>
    public abstract void Savepoint();

    /// <summary>Checks the transition's guard and makes it.</summary>
    public abstract ChangeResult Apply(in PreparedChange change);

    /// <summary>Seals the event as the next record of the stream and appends it.</summary>
    public abstract AuditPosition Append(ReadOnlySpan<byte> eventBody);

    /// <summary>
    /// What applying the last change has put on record by itself, beside the change's own event; whoever applies takes it.
    /// </summary>
    public List<AuditEvent> ToldBeside { get; } = [];

    /// <summary>Undoes what came after the savepoint; the caller puts <see cref="Head"/> back.</summary>
    public abstract void RollbackToSavepoint();

    /// <summary>Forgets the savepoint.</summary>
    public abstract void ReleaseSavepoint();

    /// <summary>
    /// Writes what is written once a batch, the last before <see cref="Commit"/>; not called where nothing changed.
    /// </summary>
    /// <param name="sequenceBefore">The newest record of the stream before the batch.</param>
    public abstract void EndBatch(long sequenceBefore);

    /// <summary>Commits, durably.</summary>
    public abstract void Commit();

    /// <summary>Undoes the transaction.</summary>
    public abstract void Rollback();

    /// <summary>
    /// <see cref="Commit"/> itself reported an error: whether the batch is in the database all the same. Throws where
    /// the database does not answer either; the next <see cref="Begin"/> then reads what became of it.
    /// </summary>
    public abstract bool ReadBack();

    /// <summary>
    /// Where the failure was for want of disk: gives up what is kept for what ends secrets. Whether it is worth another
    /// try.
    /// </summary>
    public abstract bool MakeRoom(Exception failure);

    /// <summary>
    /// Whether a change is to blame for its failure: a row that breaks a rule of the schema, a value that cannot be
    /// written. Any other failure concerns the whole batch.
    /// </summary>
    public abstract bool IsOwnFault(Exception failure);

    /// <inheritdoc/>
    public abstract void Dispose();
}
