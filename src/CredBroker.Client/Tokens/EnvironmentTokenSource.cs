namespace CredBroker.Client;

/// <summary>A token in an environment variable.</summary>
internal sealed class EnvironmentTokenSource(string name, Func<string, string?> variable) : ITokenSource
{
    public string Description => $"the variable {name}";

    public IReadOnlyList<string> Variables { get; } = [name];

    public ValueTask<string> ReadAsync(CancellationToken cancellationToken) =>
        new(TokenText.Check(variable(name) ?? "", $"The variable {name}"));
}
