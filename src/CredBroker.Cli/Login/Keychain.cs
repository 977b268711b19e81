using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using CredBroker.Cli.Exec;

namespace CredBroker.Cli.Login;

/// <summary>
/// The keychain of the user's session, reached by the program that the system has for it: <c>secret-tool</c> (libsecret)
/// on Linux, <c>security</c> on macOS. It holds a key of 256 bits for each login, which goes there and comes back over
/// the program's standard streams alone: arguments can be read by others.
/// </summary>
internal sealed class Keychain
{
    private const string Service = "credbroker";
    private const int KeyBytes = 32;
    private const int MaxAnswer = 4096;

    // It may have to ask the user for a password.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string _program;
    private readonly bool _isMac;
    private readonly Terminal _terminal;

    private Keychain(string program, bool isMac, Terminal terminal) =>
        (_program, _isMac, _terminal) = (program, isMac, terminal);

    public string Name => _isMac ? "the macOS keychain" : "the desktop's keychain (libsecret)";

    /// <summary>The keychain; null where the system has none that can be reached this way.</summary>
    public static Keychain? Find(Terminal terminal)
    {
        if (OperatingSystem.IsMacOS())
        {
            return new("/usr/bin/security", isMac: true, terminal);
        }

        try
        {
            return OperatingSystem.IsWindows()
                ? null
                : new(Executable.Find("secret-tool", terminal.Variable), isMac: false, terminal);
        }
        catch (CliException)
        {
            return null;
        }
    }

    /// <summary>The key of this name; null where there is none.</summary>
    public async Task<byte[]?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var (code, answer, error) = await RunAsync(
            _isMac
                ? ["find-generic-password", "-s", Service, "-a", name, "-w"]
                : ["lookup", "service", Service, "login", name],
            "",
            cancellationToken
        );
        if (code == 0 && Read(answer.Trim()) is { } key)
        {
            return key;
        }

        // secret-tool says 1 and nothing where it has none; security says 44 (errSecItemNotFound).
        var isMissing = _isMac ? code == 44 : error.Length == 0;
        return isMissing ? null : throw new KeychainException(Reason(code, error));
    }

    /// <summary>Makes a key and puts it there. It counts only once it can be read back.</summary>
    public async Task<byte[]> MakeAsync(string name, CancellationToken cancellationToken)
    {
        var key = RandomNumberGenerator.GetBytes(KeyBytes);
        var text = Convert.ToBase64String(key);
        var (code, _, error) = _isMac
            ? await RunAsync(
                ["-i"],
                $"add-generic-password -U -s {Service} -a {name} -l \"CredBroker login\" -w {text}\n",
                cancellationToken
            )
            : await RunAsync(
                ["store", "--label=CredBroker login", "service", Service, "login", name],
                text,
                cancellationToken
            );
        var stored = code == 0 ? await FindAsync(name, cancellationToken) : null;
        return stored is not null && CryptographicOperations.FixedTimeEquals(stored, key)
            ? key
            : throw new KeychainException(Reason(code, error));
    }

    /// <summary>Removes the key of this name, where there is one.</summary>
    public async Task ForgetAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(
                _isMac
                    ? ["delete-generic-password", "-s", Service, "-a", name]
                    : ["clear", "service", Service, "login", name],
                "",
                cancellationToken
            );
        }
        catch (KeychainException)
        {
            // The key opens a file that is gone.
        }
    }

    private async Task<(int Code, string Answer, string Error)> RunAsync(
        IReadOnlyList<string> arguments,
        string input,
        CancellationToken cancellationToken
    )
    {
        using var process = new Process
        {
            StartInfo = new(_program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            },
        };
        using var patience = new CancellationTokenSource(Patience, _terminal.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            process.Start();
            var (answer, error) = (
                ReadAsync(process.StandardOutput, either.Token),
                ReadAsync(process.StandardError, either.Token)
            );
            await process.StandardInput.WriteAsync(input.AsMemory(), either.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(either.Token);
            return (process.ExitCode, await answer, (await error).Trim());
        }
        catch (Exception exception) when (exception is Win32Exception or IOException)
        {
            throw new KeychainException(exception.Message);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            cancellationToken.ThrowIfCancellationRequested();
            throw new KeychainException("it did not answer in time");
        }
    }

    /// <summary>What a program says, so far; the rest is read and dropped.</summary>
    private static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var buffer = new char[MaxAnswer];
        var length = await reader.ReadBlockAsync(buffer, cancellationToken);
        var rest = new char[MaxAnswer];
        while (await reader.ReadAsync(rest, cancellationToken) > 0) { }

        return new(buffer, 0, length);
    }

    private static byte[]? Read(string text)
    {
        var key = new byte[KeyBytes];
        return Convert.TryFromBase64String(text, key, out var length) && length == KeyBytes ? key : null;
    }

    private static string Reason(int code, string error) =>
        error.Length > 0 ? error.Split('\n')[0] : $"its program ended with {code}";
}

/// <summary>The keychain does not do what it was asked; says why, never what it holds.</summary>
internal sealed class KeychainException(string message) : Exception(message);
