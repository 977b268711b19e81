using CredBroker.Core.Identity.Verification;

namespace CredBroker.Server.Identity.Keys;

/// <summary>Reads the small files that identities hang on.</summary>
internal static class KeyFile
{
    private const int MaxTokenBytes = 16 * 1024;

    /// <summary>The file's bytes, at most <see cref="JsonWebKeys.MaxBytes"/>.</summary>
    public static Task<ReadOnlyMemory<byte>> ReadAsync(string path, CancellationToken cancellationToken) =>
        ReadAsync(path, JsonWebKeys.MaxBytes, cancellationToken);

    /// <summary>The bearer token in a file, without white space around it.</summary>
    public static async Task<string> ReadTokenAsync(string path, CancellationToken cancellationToken) =>
        Token(path, (await ReadAsync(path, MaxTokenBytes, cancellationToken)).Span);

    /// <summary>The same at the start, where nobody waits.</summary>
    public static string ReadToken(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var buffer = new byte[MaxTokenBytes + 1];
        var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length <= MaxTokenBytes
            ? Token(path, buffer.AsSpan(0, length))
            : throw new KeyDocumentException($"the file '{path}' is larger than {MaxTokenBytes} bytes");
    }

    private static string Token(string path, ReadOnlySpan<byte> text)
    {
        var token = System.Text.Encoding.ASCII.GetString(text).Trim();
        return token.Length > 0 && !token.Any(c => char.IsControl(c) || c == ' ')
            ? token
            : throw new KeyDocumentException($"the file '{path}' holds no bearer token");
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(
        string path,
        int maxBytes,
        CancellationToken cancellationToken
    )
    {
        await using var file = new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 0,
            useAsync: true
        );
        var buffer = new byte[maxBytes + 1];
        var length = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= maxBytes
            ? buffer.AsMemory(0, length)
            : throw new KeyDocumentException($"the file '{path}' is larger than {maxBytes} bytes");
    }
}
