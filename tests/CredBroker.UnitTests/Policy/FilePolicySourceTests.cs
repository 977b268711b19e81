using CredBroker.Server.Policy;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Policy;

public sealed class FilePolicySourceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cb-policy-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_document_is_read_with_the_schemas_it_names()
    {
        Write("policy.yaml", Samples.Text);
        Write("transfer.schema.json", Samples.Schema);
        using var source = Open();

        var document = await source.ReadAsync(CancellationToken.None);

        Assert.Equal("policy.yaml", document!.Name);
        Assert.Equal(Samples.Text, document.Text);
        Assert.Equal(Samples.Schema, document.Schemas["transfer.schema.json"]);
    }

    [Fact]
    public async Task No_file_is_no_document()
    {
        using var source = Open();

        Assert.Null(await source.ReadAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_schema_outside_the_folder_is_never_read()
    {
        var inner = _folder.CreateSubdirectory("inner");
        Write("transfer.schema.json", Samples.Schema);
        await File.WriteAllTextAsync(
            Path.Combine(inner.FullName, "policy.yaml"),
            Samples.Edited(("transfer.schema.json", "../transfer.schema.json"))
        );
        using var source = new FilePolicySource(Path.Combine(inner.FullName, "policy.yaml"), TimeProvider.System);

        Assert.Empty((await source.ReadAsync(CancellationToken.None))!.Schemas);
    }

    [Fact]
    public async Task A_file_that_is_too_large_or_no_UTF8_is_an_IO_fault()
    {
        using var source = Open();
        await File.WriteAllBytesAsync(PathOf("policy.yaml"), new byte[(1024 * 1024) + 1]);
        await Assert.ThrowsAsync<IOException>(async () => await source.ReadAsync(CancellationToken.None));

        await File.WriteAllBytesAsync(PathOf("policy.yaml"), [0xff, 0xfe, 0x41]);
        await Assert.ThrowsAsync<IOException>(async () => await source.ReadAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_file_replaced_by_a_rename_is_noticed_again_and_again()
    {
        Write("policy.yaml", "one");
        using var source = Open();
        await source.ReadAsync(CancellationToken.None);

        foreach (var text in new[] { "two", "three", "four" })
        {
            Write("policy.yaml.new", text);
            File.Move(PathOf("policy.yaml.new"), PathOf("policy.yaml"), overwrite: true);

            await source.WaitForChangeAsync(CancellationToken.None).WaitAsync(Patience.Limit);
            Assert.Equal(text, (await source.ReadAsync(CancellationToken.None))!.Text);
        }
    }

    [Fact]
    public async Task A_ConfigMap_is_read_again_when_its_link_is_swapped()
    {
        var mount = _folder.CreateSubdirectory("mount");
        Volume(mount, "..one", "one");
        Link(mount, "..data", "..one");
        File.CreateSymbolicLink(Path.Combine(mount.FullName, "policy.yaml"), "..data/policy.yaml");
        using var source = new FilePolicySource(Path.Combine(mount.FullName, "policy.yaml"), TimeProvider.System);

        await SwapAndReadAsync(source, mount);
    }

    [Fact]
    public async Task A_link_into_another_folder_is_followed_when_nothing_is_noticed_here()
    {
        // The watched folder holds a link alone, and nothing in it ever changes: only looking again can tell.
        var (mount, here) = (_folder.CreateSubdirectory("mount"), _folder.CreateSubdirectory("here"));
        Volume(mount, "..one", "one");
        Link(mount, "..data", "..one");
        var path = Path.Combine(here.FullName, "policy.yaml");
        File.CreateSymbolicLink(path, Path.Combine(mount.FullName, "..data", "policy.yaml"));
        using var source = new FilePolicySource(path, TimeProvider.System);

        await SwapAndReadAsync(source, mount);
    }

    [Fact]
    public void Looking_again_takes_less_than_two_seconds() =>
        Assert.True(FilePolicySource.LongestWait < TimeSpan.FromSeconds(2));

    [Fact]
    public async Task A_change_before_the_wait_began_is_noticed()
    {
        Write("policy.yaml", "one");
        using var source = Open();
        await source.ReadAsync(CancellationToken.None);
        Write("policy.yaml", "two");

        await source.WaitForChangeAsync(CancellationToken.None).WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task A_changed_schema_is_a_change()
    {
        Write("policy.yaml", Samples.Text);
        Write("transfer.schema.json", Samples.Schema);
        using var source = Open();
        await source.ReadAsync(CancellationToken.None);
        Write("transfer.schema.json", "{}");

        await source.WaitForChangeAsync(CancellationToken.None).WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task A_file_that_becomes_unreadable_is_one_change_not_many()
    {
        Write("policy.yaml", "one");
        using var source = Open();
        await source.ReadAsync(CancellationToken.None);
        await File.WriteAllBytesAsync(PathOf("policy.yaml"), [0xff]);

        await source.WaitForChangeAsync(CancellationToken.None).WaitAsync(Patience.Limit);
        await Assert.ThrowsAsync<IOException>(async () => await source.ReadAsync(CancellationToken.None));

        using var cancel = new CancellationTokenSource();
        var next = source.WaitForChangeAsync(cancel.Token);
        Write("policy.yaml", "two");
        await next.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task Waiting_ends_with_its_token()
    {
        Write("policy.yaml", "one");
        using var source = Open();
        await source.ReadAsync(CancellationToken.None);
        using var cancel = new CancellationTokenSource();
        var waiting = source.WaitForChangeAsync(cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Theory]
    [InlineData("", "Policy:File is missing")]
    [InlineData("/no/such/file.yaml", "which does not exist")]
    public void Settings_name_a_file_that_exists(string file, string fault) =>
        Assert.Contains(fault, Assert.Single(new PolicyOptions { File = file }.Validate()), StringComparison.Ordinal);

    private static async Task SwapAndReadAsync(FilePolicySource source, DirectoryInfo mount)
    {
        Assert.Equal("one", (await source.ReadAsync(CancellationToken.None))!.Text);
        foreach (var text in new[] { "two", "three" })
        {
            var change = source.WaitForChangeAsync(CancellationToken.None);
            Volume(mount, $"..{text}", text);
            Link(mount, "..data", $"..{text}");

            await change.WaitAsync(Patience.Limit);
            Assert.Equal(text, (await source.ReadAsync(CancellationToken.None))!.Text);
        }
    }

    private static void Volume(DirectoryInfo mount, string name, string policy) =>
        File.WriteAllText(Path.Combine(mount.CreateSubdirectory(name).FullName, "policy.yaml"), policy);

    // As kubelet does it: a link of another name, and one rename over the old link.
    private static void Link(DirectoryInfo mount, string name, string target)
    {
        var made = Path.Combine(mount.FullName, $"{name}_tmp");
        File.CreateSymbolicLink(made, target);
        using var move = System.Diagnostics.Process.Start("mv", ["-T", made, Path.Combine(mount.FullName, name)]);
        move.WaitForExit();
        Assert.Equal(0, move.ExitCode);
    }

    private FilePolicySource Open() => new(PathOf("policy.yaml"), TimeProvider.System);

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private void Write(string name, string text) => File.WriteAllText(PathOf(name), text);
}
