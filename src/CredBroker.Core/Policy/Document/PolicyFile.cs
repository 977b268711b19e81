using System.Text;

namespace CredBroker.Core.Policy.Document;

/// <summary>A policy document on disk: the YAML file, and beside it the JSON Schemas that it names.</summary>
public static class PolicyFile
{
    private static readonly UTF8Encoding StrictUtf8 = new(
        encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true
    );

    /// <summary>
    /// Reads the document; null where the file does not exist. A schema that does not exist is left out: compiling says
    /// where it is named. Throws <see cref="IOException"/> (or <see cref="UnauthorizedAccessException"/>) where
    /// something cannot be read, is too large or is not UTF-8.
    /// </summary>
    public static ValueTask<PolicyDocument?> ReadAsync(string path, CancellationToken cancellationToken) =>
        ReadAsync(path, before: null, cancellationToken);

    /// <summary>
    /// The same, for who looks again and again: where the text is still the one of <paramref name="before"/>, it is read
    /// and not parsed.
    /// </summary>
    public static async ValueTask<PolicyDocument?> ReadAsync(
        string path,
        PolicyDocument? before,
        CancellationToken cancellationToken
    )
    {
        var full = Path.GetFullPath(path);
        if (await ReadTextAsync(full, YamlTree.MaxBytes, cancellationToken) is not { } text)
        {
            return null;
        }

        var schemas = new Dictionary<string, string>(StringComparer.Ordinal);
        var named = before?.Text == text && before.Named is { } known ? known : SchemaFileName.NamedIn(text);
        foreach (var name in named)
        {
            if (
                await ReadTextAsync(
                    Path.Combine(Path.GetDirectoryName(full)!, name),
                    ArgumentSchema.MaxLength,
                    cancellationToken
                ) is
                { } schema
            )
            {
                schemas.Add(name, schema);
            }
        }

        return new()
        {
            Name = Path.GetFileName(full),
            Text = text,
            Schemas = schemas,
            Named = named,
        };
    }

    private static async ValueTask<string?> ReadTextAsync(
        string path,
        int maxBytes,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await using var file = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                bufferSize: 0,
                useAsync: true
            );
            // One byte more than allowed tells a file that is too large, however it grows meanwhile.
            var buffer = new byte[Math.Min(file.Length, maxBytes) + 1];
            var length = 0;
            while (
                length < buffer.Length
                && await file.ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var read
            )
            {
                length += read;
                if (length == buffer.Length && length <= maxBytes)
                {
                    Array.Resize(ref buffer, maxBytes + 1);
                }
            }

            return length <= maxBytes
                ? StrictUtf8.GetString(buffer.AsSpan(0, length)).TrimStart('\uFEFF')
                : throw new IOException($"{path} is larger than {maxBytes / 1024} KiB");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (DecoderFallbackException exception)
        {
            throw new IOException($"{path} is not UTF-8", exception);
        }
    }
}
