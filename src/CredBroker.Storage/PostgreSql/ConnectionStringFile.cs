using System.Net;
using CredBroker.Core.State;
using Npgsql;

namespace CredBroker.Storage.PostgreSql;

/// <summary>
/// The file that says where the PostgreSQL store is and who the broker is there: a connection string in Npgsql's words.
/// It holds a password, so that nothing of its text is in any message. Unless it leads to this machine alone, the server
/// has to prove by its certificate that it is the host that is named.
/// </summary>
internal static class ConnectionStringFile
{
    private const int MaxBytes = 16 * 1024;

    /// <summary>Reads it and fills in what the store relies on.</summary>
    /// <exception cref="StoreUnavailableException">It is of no use; the message says why and what to write.</exception>
    public static NpgsqlConnectionStringBuilder Read(StorageOptions options)
    {
        var path = options.ConnectionStringFile;
        NpgsqlConnectionStringBuilder settings;
        try
        {
            settings = new(ReadText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, $"cannot be read ({e.Message})");
        }
        catch (Exception e) when (e is ArgumentException or FormatException or NotSupportedException)
        {
            // What was thrown may quote the text, and so the password: it goes no further.
            throw Unusable(path, "is no connection string");
        }

        if (string.IsNullOrEmpty(settings.Host) || string.IsNullOrEmpty(settings.Username))
        {
            throw Unusable(path, "names no host or no user");
        }

        if (settings.Host.Contains(','))
        {
            // What is read could come from another one than what was written.
            throw Unusable(path, "names several hosts; name the one address that leads to the primary");
        }

        if (!IsThisMachine(settings.Host))
        {
            // Npgsql's default, and no word of the operator's: it would take a connection in clear.
            if (settings.SslMode == SslMode.Prefer)
            {
                settings.SslMode = SslMode.VerifyFull;
            }

            if (settings.SslMode != SslMode.VerifyFull && !options.AllowUnverifiedServer)
            {
                throw Unusable(
                    path,
                    $"asks for SSL Mode={settings.SslMode}, by which anybody on the way can be the server. "
                        + "Leave it out (it is then VerifyFull), name the CA in Root Certificate, or set "
                        + $"{StorageOptions.Section}:{nameof(StorageOptions.AllowUnverifiedServer)}"
                );
            }
        }

        settings.ApplicationName = "credbroker";
        settings.PersistSecurityInfo = false;
        settings.IncludeErrorDetail = false;
        settings.LogParameters = false;
        settings.Enlist = false;
        settings.Multiplexing = false;
        settings.GssEncryptionMode = GssEncryptionMode.Disable;
        // A database that does not answer keeps no order to revoke waiting for longer.
        settings.Timeout = 5;
        settings.CommandTimeout = 10;
        settings.CancellationTimeout = 1000;
        settings.KeepAlive = 10;
        settings.MaxAutoPrepare = 200;
        settings.AutoPrepareMinUsages = 2;
        return settings;
    }

    private static string ReadText(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file);
        return file.Length <= MaxBytes
            ? reader.ReadToEnd().Trim()
            : throw new IOException($"it is longer than {MaxBytes} bytes");
    }

    private static bool IsThisMachine(string host)
    {
        host = host.Trim();
        var name = host.StartsWith('[') ? host[1..].Split(']')[0] : host;
        if (IPAddress.TryParse(name, out var address) || IPAddress.TryParse(name.Split(':')[0], out address))
        {
            return IPAddress.IsLoopback(address);
        }

        // A path is the directory of a Unix socket, and @ begins the name of an abstract one.
        return host.StartsWith('/') || host.StartsWith('@') || name.Split(':')[0] == "localhost";
    }

    private static StoreUnavailableException Unusable(string path, string why) =>
        new(
            $"{StorageOptions.Section}:{nameof(StorageOptions.ConnectionStringFile)}: {path} {why}. It holds one line "
                + "such as Host=db.example.com;Database=credbroker;Username=credbroker;Password=..., as Npgsql reads it."
        );
}
