using System.Text.Json;

namespace CredBroker.Client;

/// <summary>A tool call as an agent declares it.</summary>
public sealed record ToolCallDeclaration
{
    /// <summary>The tool's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its arguments: a JSON object.</summary>
    public required JsonElement Arguments { get; init; }
}
