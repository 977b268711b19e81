using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Core.Text;

namespace CredBroker.Cli.Login;

/// <summary>
/// Keeps logins, one file for each broker, mode 0600 in a folder of the user's own. Where a keychain takes the key, the
/// file is encrypted (AES-256-GCM) with one that is in the keychain alone; the broker's address is bound to it, so that a
/// file put in another's place opens nothing. Where none does, the address that the file says is compared.
/// </summary>
internal sealed class LoginStore(Terminal terminal)
{
    private const string FolderName = "credbroker";
    private const int MaxBytes = 512 * 1024;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(60);

    private readonly Keychain? _keychain = Keychain.Find(terminal);

    public string Folder =>
        Path.Combine(
            terminal.Variable("XDG_CONFIG_HOME") is { } folder && Path.IsPathFullyQualified(folder)
                ? folder
                : Environment.GetFolderPath(
                    Environment.SpecialFolder.ApplicationData,
                    Environment.SpecialFolderOption.DoNotVerify
                ),
            FolderName
        );

    /// <summary>Whether there is a login for the broker, be it one that has ended.</summary>
    public bool Has(Uri server) => File.Exists(PathOf(server));

    /// <summary>The login for the broker; null where there is none.</summary>
    public async Task<StoredLogin?> ReadAsync(Uri server, CancellationToken cancellationToken)
    {
        if (!Has(server))
        {
            return null;
        }

        CheckFolder();
        var path = PathOf(server);
        CheckFile(path);
        try
        {
            var bytes = await File.ReadAllBytesAsync(path, cancellationToken);
            var file = JsonSerializer.Deserialize(bytes, CliJson.Default.LoginFile);
            var login = file?.Sealed is { } cipher ? await UnsealAsync(server, cipher, cancellationToken) : file?.Login;

            // The address is compared as well: a file without a keychain's key could have been copied.
            return login is not null && login.Server == server.AbsoluteUri
                ? login.Read(server)
                : throw Unreadable(path);
        }
        catch (Exception exception) when (exception is JsonException or FormatException or CryptographicException)
        {
            throw Unreadable(path);
        }
    }

    /// <summary>Keeps a login in the place of an earlier one for the same broker. Says where.</summary>
    public async Task<string> WriteAsync(StoredLogin login, CancellationToken cancellationToken)
    {
        MakeFolder();
        var server = login.Target.Server;
        var kept = KeptLogin.Of(login);
        var key = _keychain is null ? null : await KeyAsync(server, cancellationToken);
        var file = key is null ? new LoginFile { Login = kept } : new LoginFile { Sealed = Seal(server, key, kept) };

        // A new file that takes the old one's place: what a link there leads to is never written to.
        var path = PathOf(server);
        var fresh = $"{path}.{Ids.New(terminal.Time)}";
        try
        {
            await using (var stream = OwnerOnlyFile.CreateNew(fresh))
            {
                await JsonSerializer.SerializeAsync(stream, file, CliJson.Default.LoginFile, cancellationToken);
                stream.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
        }
        catch
        {
            File.Delete(fresh);
            throw;
        }

        return key is null ? $"the file {path}" : $"the file {path}, encrypted with a key in {_keychain!.Name}";
    }

    /// <summary>Forgets the login for the broker, and its key.</summary>
    public async Task ForgetAsync(Uri server, CancellationToken cancellationToken)
    {
        if (Directory.Exists(Folder))
        {
            CheckFolder();
            File.Delete(PathOf(server));
        }

        if (_keychain is not null)
        {
            await _keychain.ForgetAsync(NameOf(server), cancellationToken);
        }
    }

    /// <summary>
    /// Keeps other processes of this user from changing logins: two that used one refresh token at once would look like
    /// a theft to the issuer.
    /// </summary>
    public async Task<IDisposable> LockAsync(CancellationToken cancellationToken)
    {
        MakeFolder();
        var path = Path.Combine(Folder, "lock");
        var began = terminal.Time.GetTimestamp();
        while (true)
        {
            try
            {
                var options = new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.None,
                };
                if (!OperatingSystem.IsWindows())
                {
                    options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
                }

                return new FileStream(path, options);
            }
            catch (IOException) when (File.Exists(path) && terminal.Time.GetElapsedTime(began) < LockPatience)
            {
                await Task.Delay(LockPause, terminal.Time, cancellationToken);
            }
        }
    }

    private string PathOf(Uri server) => Path.Combine(Folder, $"login-{NameOf(server)}.json");

    private static string NameOf(Uri server) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(server.AbsoluteUri)))[..32];

    private void MakeFolder()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Folder);
        }
        else if (!Directory.Exists(Folder))
        {
            Directory.CreateDirectory(
                Folder,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            );
        }

        CheckFolder();
    }

    private void CheckFolder()
    {
        var fault = new DirectoryInfo(Folder).LinkTarget is null
            ? OwnFolder.FaultOf(Folder)
            : "which is a link; make it a directory.";
        if (fault is not null)
        {
            throw CliException.Usage(
                $"Logins are kept in {Folder}, {fault}",
                "A login in a place that others can change is not used."
            );
        }
    }

    private static void CheckFile(string path)
    {
        var file = new FileInfo(path);
        if (file.LinkTarget is not null)
        {
            throw CliException.Usage($"{path} is a link.", "Remove it, and log in again.");
        }

        const UnixFileMode others =
            UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (file.UnixFileMode & others) != 0)
        {
            throw CliException.Usage(
                $"Others may read or write {path}, so the login in it may be known to them.",
                "Run \"credbroker logout\", and log in again."
            );
        }

        if (file.Length > MaxBytes)
        {
            throw Unreadable(path);
        }
    }

    /// <summary>The key of the broker's login, made anew where there is none; null where no keychain answers.</summary>
    private async Task<byte[]?> KeyAsync(Uri server, CancellationToken cancellationToken)
    {
        try
        {
            return await _keychain!.FindAsync(NameOf(server), cancellationToken)
                ?? await _keychain.MakeAsync(NameOf(server), cancellationToken);
        }
        catch (KeychainException exception)
        {
            terminal.Error.WriteLine(
                Printable.Text($"{_keychain!.Name} takes no key ({exception.Message}): the login is kept without it.")
            );
            return null;
        }
    }

    private static string Seal(Uri server, byte[] key, KeptLogin login)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(login, CliJson.Default.KeptLogin);
        var message = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(message.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(
            message.AsSpan(0, NonceBytes),
            plain,
            message.AsSpan(NonceBytes + TagBytes),
            message.AsSpan(NonceBytes, TagBytes),
            Encoding.UTF8.GetBytes(server.AbsoluteUri)
        );
        CryptographicOperations.ZeroMemory(plain);
        return Convert.ToBase64String(message);
    }

    private async Task<KeptLogin?> UnsealAsync(Uri server, string cipher, CancellationToken cancellationToken)
    {
        byte[]? key;
        try
        {
            key = _keychain is null ? null : await _keychain.FindAsync(NameOf(server), cancellationToken);
        }
        catch (KeychainException exception)
        {
            throw new CliException(
                ExitCodes.Unavailable,
                $"{_keychain!.Name} gives no key: {exception.Message}",
                "Unlock it, or log in again."
            );
        }

        if (key is null)
        {
            throw CliException.Usage(
                "The key of your login is in a keychain that is not here.",
                "Log in again: \"credbroker login\"."
            );
        }

        var message = Convert.FromBase64String(cipher);
        if (message.Length < NonceBytes + TagBytes)
        {
            return null;
        }

        var plain = new byte[message.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(key, TagBytes);
        aes.Decrypt(
            message.AsSpan(0, NonceBytes),
            message.AsSpan(NonceBytes + TagBytes),
            message.AsSpan(NonceBytes, TagBytes),
            plain,
            Encoding.UTF8.GetBytes(server.AbsoluteUri)
        );
        return JsonSerializer.Deserialize(plain, CliJson.Default.KeptLogin);
    }

    private static CliException Unreadable(string path) =>
        CliException.Usage($"The login in {path} cannot be read.", "Log in again: \"credbroker login\".");
}
