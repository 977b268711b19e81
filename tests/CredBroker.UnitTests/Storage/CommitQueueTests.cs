using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;

namespace CredBroker.UnitTests.Storage;

/// <summary>What the writer's next batch is. The moment in which company is waited for does not end by itself here.</summary>
public sealed class CommitQueueTests
{
    private readonly CommitQueue _queue = new(1000, Patience.Limit);

    [Fact]
    public void Few_changes_wait_for_nobody()
    {
        for (var round = 0; round < 3; round++)
        {
            Add(7);
            Assert.Equal(7, Take());
        }

        Add(1);
        Assert.Equal(1, Take());
    }

    [Fact]
    public async Task After_many_the_writer_waits_until_as_many_have_come()
    {
        Add(9);
        Assert.Equal(9, Take());
        Add(8);
        var next = Task.Run(Take);
        Add(1);

        Assert.Equal(9, await next);
    }

    [Theory]
    [InlineData("ends secrets")]
    [InlineData("reads")]
    [InlineData("closes")]
    public async Task But_not_with_what_cannot_wait(string what)
    {
        Add(9);
        Assert.Equal(9, Take());
        Add(1);
        var next = Task.Run(Take);
        var passed = Task.CompletedTask;
        switch (what)
        {
            case "ends secrets":
                _queue.Add(new PendingCommit(StoreSamples.Revoked("0")));
                break;
            case "reads":
                passed = _queue.PassAsync();
                break;
            default:
                _queue.Close();
                break;
        }

        Assert.Equal(what == "ends secrets" ? 2 : 1, await next);
        await passed;
    }

    private void Add(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _queue.Add(new PendingCommit(StoreSamples.Recorded()));
        }
    }

    private int Take()
    {
        var batch = new List<PendingCommit>();
        Assert.True(_queue.Take(batch, 512));
        return batch.Count;
    }
}
