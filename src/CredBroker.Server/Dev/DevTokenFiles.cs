using CredBroker.Core.Text;
using CredBroker.Dev;

namespace CredBroker.Server.Dev;

/// <summary>
/// A file with an identity token for each caller that a newcomer plays: the agent <see cref="Agent"/> and the people of
/// dev mode. Only this user can read them, and each is replaced long before its token ends, as a platform does it with
/// a projected token.
/// </summary>
internal sealed class DevTokenFiles : IAsyncDisposable
{
    /// <summary>The agent that has a file.</summary>
    public const string Agent = "triage";

    /// <summary>Its running instance.</summary>
    public const string Instance = "triage-1";

    /// <summary>How long a token lives; its file is replaced three times in that time.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    private readonly DevIssuer _issuer;
    private readonly DirectoryInfo _folder;
    private readonly PeriodicTimer _timer;
    private Task _renewals = Task.CompletedTask;

    private DevTokenFiles(DevIssuer issuer, DirectoryInfo folder, TimeProvider time) =>
        (_issuer, _folder, _timer) = (issuer, folder, new PeriodicTimer(Life / 3, time));

    /// <summary>Writes all files into a new folder, and keeps them fresh until it is disposed.</summary>
    public static async Task<DevTokenFiles> StartAsync(
        DevIssuer issuer,
        string folder,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var owned = OperatingSystem.IsWindows()
            ? Directory.CreateDirectory(folder)
            : Directory.CreateDirectory(
                folder,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            );
        var files = new DevTokenFiles(issuer, owned, time);
        await files.WriteAsync(cancellationToken);
        files._renewals = files.RenewAsync();
        return files;
    }

    /// <summary>Ends the renewals; the folder is its owner's to delete.</summary>
    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _renewals;
    }

    private async Task RenewAsync()
    {
        while (await _timer.WaitForNextTickAsync())
        {
            await WriteAsync(CancellationToken.None);
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await WriteAsync(Agent, _issuer.MintForAgent(Agent, Instance, Life), cancellationToken);
        foreach (var person in DevPerson.All)
        {
            await WriteAsync(person.Name, _issuer.MintForPerson(person, Life), cancellationToken);
        }
    }

    /// <summary>Whoever reads meanwhile finds the old token or the new one, never a part.</summary>
    private async Task WriteAsync(string name, string token, CancellationToken cancellationToken)
    {
        var file = Path.Combine(_folder.FullName, name);
        var next = $"{file}.next";
        File.Delete(next);
        await OwnerOnlyFile.WriteNewAsync(next, token, cancellationToken);
        File.Move(next, file, overwrite: true);
    }
}
