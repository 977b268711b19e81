namespace CredBroker.Client;

/// <summary>One part of the broker's health.</summary>
public sealed record HealthPartResponse
{
    /// <summary>The part.</summary>
    public required string Name { get; init; }

    /// <summary><c>ok</c> or <c>unavailable</c>.</summary>
    public required string Status { get; init; }

    /// <summary>The code that a caller is told, such as <c>CB4002</c>; absent where the part is well.</summary>
    public string? Code { get; init; }

    /// <summary>What is wrong; where the part is well, what its operator should know, if there is anything.</summary>
    public string? Detail { get; init; }
}
