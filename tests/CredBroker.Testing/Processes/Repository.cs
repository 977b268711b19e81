namespace CredBroker.Testing.Processes;

/// <summary>Files of the repository that tests look at.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot(AppContext.BaseDirectory);

    public static string ExampleSettings => Path.Combine(Root, "appsettings.example.json");

    private static string FindRoot(string folder)
    {
        if (File.Exists(Path.Combine(folder, "CredBroker.sln")))
        {
            return folder;
        }

        return Path.GetDirectoryName(folder) is { } parent
            ? FindRoot(parent)
            : throw new InvalidOperationException("The tests run outside of the repository.");
    }
}

/// <summary>A folder of a test's own.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("credbroker-test-").FullName;

    /// <summary>An empty file of this name in it.</summary>
    public string File(string name)
    {
        var path = System.IO.Path.Combine(Path, name);
        System.IO.File.WriteAllText(path, "");
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
