namespace CredBroker.Core.Text;

/// <summary>Files that only the user who runs the program may read: tokens, keys.</summary>
public static class OwnerOnlyFile
{
    /// <summary>
    /// Makes a new file for writing. Its mode is 0600 from the start, so that there is no moment at which another user
    /// could open it; on Windows the folder's rights hold. Throws <see cref="IOException"/> where the file exists.
    /// </summary>
    public static FileStream CreateNew(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    /// <summary>
    /// Opens a file to go on with it, and takes from everybody else what rights they had on it. Whoever has it open
    /// keeps it.
    /// </summary>
    public static FileStream Continue(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(file.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Makes a new file that holds the text, as UTF-8.</summary>
    public static async Task WriteNewAsync(string path, string text, CancellationToken cancellationToken)
    {
        await using var file = new StreamWriter(CreateNew(path));
        await file.WriteAsync(text.AsMemory(), cancellationToken);
    }
}
