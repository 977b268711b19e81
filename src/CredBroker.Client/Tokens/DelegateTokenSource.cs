namespace CredBroker.Client;

/// <summary>A token that the caller's own code gives.</summary>
internal sealed class DelegateTokenSource(Func<CancellationToken, ValueTask<string>> read, string description)
    : ITokenSource
{
    public string Description => description;

    public IReadOnlyList<string> Variables => [];

    public ValueTask<string> ReadAsync(CancellationToken cancellationToken) => read(cancellationToken);
}
