namespace CredBroker.Server.Identity.Settings;

/// <summary>Collects the faults of one entry of the settings, each named by its full path.</summary>
internal sealed class SettingFaults(string path, List<string> all)
{
    /// <summary>Whether this entry has a fault.</summary>
    public bool Any { get; private set; }

    public void Add(string setting, string whatAndInstead)
    {
        Any = true;
        all.Add($"{path}:{setting} {whatAndInstead}.");
    }

    public void Require(bool holds, string setting, string whatAndInstead)
    {
        if (!holds)
        {
            Add(setting, whatAndInstead);
        }
    }
}
