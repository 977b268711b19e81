using System.Text;

namespace CredBroker.Client;

/// <summary>A token in a file, opened anew for each call: whoever projects it replaces it under our feet.</summary>
internal sealed class FileTokenSource(string path) : ITokenSource
{
    public string Description => $"the file {path}";

    public IReadOnlyList<string> Variables => [];

    public async ValueTask<string> ReadAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[TokenText.MaxLength + 1];
        int length;
        try
        {
            var file = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                bufferSize: 0
            );
            await using (file.ConfigureAwait(false))
            {
                length = await file.ReadAtLeastAsync(
                        buffer,
                        buffer.Length,
                        throwOnEndOfStream: false,
                        cancellationToken
                    )
                    .ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new TokenSourceException(
                $"The token file cannot be read: {exception.Message}",
                "Check the path, and that this user may read it."
            );
        }

        return TokenText.Check(Encoding.UTF8.GetString(buffer, 0, length).Trim(), $"The token file {path}");
    }
}
