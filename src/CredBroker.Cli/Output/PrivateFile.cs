using System.Text;
using CredBroker.Core.Text;

namespace CredBroker.Cli.Output;

/// <summary>
/// A file that only its owner can read. It is made before the secret is asked for, so that an unwritable place costs no
/// secret, and removed if none comes.
/// </summary>
internal sealed class PrivateFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;
    private bool _written;

    private PrivateFile(string path, FileStream stream) => (_path, _stream) = (path, stream);

    /// <summary>Creates it. A file that exists is never overwritten: it may hold a key that is still needed.</summary>
    public static PrivateFile Create(string path)
    {
        try
        {
            return new(path, OwnerOnlyFile.CreateNew(path));
        }
        catch (IOException) when (File.Exists(path))
        {
            throw CliException.Usage($"{path} exists already.", "Name another file, or move this one away.");
        }
    }

    public void Write(string text)
    {
        _stream.Write(Encoding.UTF8.GetBytes(text.EndsWith('\n') ? text : text + "\n"));
        _stream.Flush(flushToDisk: true);
        _written = true;
    }

    public void Dispose()
    {
        _stream.Dispose();
        if (!_written)
        {
            File.Delete(_path);
        }
    }
}
