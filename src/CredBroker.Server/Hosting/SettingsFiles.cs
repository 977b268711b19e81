namespace CredBroker.Server.Hosting;

/// <summary>
/// Where settings come from: one JSON file (comments allowed), then the environment, later ones winning.
/// </summary>
internal static class SettingsFiles
{
    /// <summary>Environment variables that begin with this are settings: <c>CREDBROKER__Vault__Address</c>.</summary>
    public const string EnvironmentPrefix = "CREDBROKER__";

    /// <summary>The file read when none is named.</summary>
    public const string DefaultFile = "appsettings.json";

    /// <summary>
    /// Reads the file and the environment. Throws <see cref="SettingsFaultsException"/> when the file is missing or no
    /// JSON.
    /// </summary>
    public static IConfigurationBuilder Open(string? file)
    {
        var path = Path.GetFullPath(file ?? DefaultFile);
        if (file is not null && !File.Exists(path))
        {
            throw new SettingsFaultsException([$"The settings file {path} does not exist."]);
        }

        var builder = new ConfigurationBuilder()
            .AddJsonFile(path, optional: true, reloadOnChange: false)
            .AddEnvironmentVariables(EnvironmentPrefix);
        try
        {
            builder.Build();
        }
        catch (InvalidDataException e)
        {
            throw new SettingsFaultsException([$"{path} is no valid JSON: {e.InnerException?.Message ?? e.Message}"]);
        }

        return builder;
    }
}
