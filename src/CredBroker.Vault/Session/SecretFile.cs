using CredBroker.Core.Text;

namespace CredBroker.Vault.Session;

/// <summary>A small file that holds one secret: the broker's token, or the secret id of its AppRole.</summary>
internal static class SecretFile
{
    private const int MaxBytes = 8 * 1024;

    /// <summary>The file's trimmed text; null, and why, where it is of no use. Its content is in no message.</summary>
    public static SecretText? Read(string path, out string? fault)
    {
        try
        {
            using var file = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete
            );
            if (file.Length <= MaxBytes)
            {
                using var reader = new StreamReader(file);
                var text = reader.ReadToEnd().Trim();
                if (text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('!', '~'))
                {
                    fault = null;
                    return new SecretText(text);
                }
            }

            fault = $"{path} does not hold one line of text.";
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            fault = $"{path} does not exist.";
        }
        catch (UnauthorizedAccessException)
        {
            fault = $"the broker's user may not read {path}.";
        }
        catch (IOException e)
        {
            fault = $"{path} cannot be read ({e.GetType().Name}).";
        }

        return null;
    }
}
