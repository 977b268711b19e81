namespace CredBroker.Server.Hosting;

/// <summary>The settings cannot be used. Carries every fault found, each with what to write instead.</summary>
public sealed class SettingsFaultsException(IReadOnlyList<string> faults)
    : Exception(
        $"The settings have {faults.Count} fault(s):{Environment.NewLine}"
            + $"{string.Join(Environment.NewLine, faults.Select(f => "  - " + f))}"
    )
{
    /// <summary>Every fault, in the order of the sections.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;
}
