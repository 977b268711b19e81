namespace CredBroker.Server.Dev;

/// <summary>Files that this user alone may read.</summary>
internal static class PrivateFile
{
    /// <summary>Writes a new file; its mode is 0600 from the start.</summary>
    public static async Task WriteAsync(string path, string text, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var file = new StreamWriter(path, options);
        await file.WriteAsync(text.AsMemory(), cancellationToken);
    }
}
