namespace CredBroker.IntegrationTests.Server.Floods;

/// <summary>Floods run when nothing else does: they would disturb what others measure, and be disturbed.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FloodsAlone
{
    public const string Name = "Floods";
}
