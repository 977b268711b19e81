using CredBroker.Core.Text;

namespace CredBroker.Vault.Setup;

/// <summary>A file with a database administrator's <c>user:password</c>.</summary>
internal static class SetupFile
{
    private const int MaxSize = 64 * 1024;

    /// <summary>The user and the password; or what is wrong with the file, which never quotes it.</summary>
    public static async ValueTask<((string User, SecretText Password)? Credential, string Fault)> ReadAsync(
        string path,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxSize })
            {
                return (null, $"{path} is larger than {MaxSize} bytes: it must hold user:password and no more.");
            }

            var text = (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            return colon > 0 && colon < text.Length - 1 && !text.Any(char.IsControl)
                ? ((text[..colon], new SecretText(text[(colon + 1)..])), "")
                : (null, $"{path} does not hold user:password on one line.");
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, $"{path} is not there.");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return (null, $"{path} cannot be read: {fault.Message}");
        }
    }

    /// <summary>What is wrong with each file of the plan that has a fault, by its path.</summary>
    public static async ValueTask<IReadOnlyDictionary<string, string>> FaultsAsync(
        SetupPlan plan,
        CancellationToken cancellationToken
    )
    {
        var faults = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in plan.Steps.Select(step => step.CredentialFile).Where(path => path.Length > 0).Distinct())
        {
            if (await ReadAsync(path, cancellationToken) is { Credential: null } read)
            {
                faults[path] = read.Fault;
            }
        }

        return faults;
    }
}
