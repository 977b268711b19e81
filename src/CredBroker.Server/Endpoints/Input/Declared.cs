using CredBroker.Client;
using CredBroker.Core.Requests;

namespace CredBroker.Server.Endpoints.Input;

/// <summary>Parts of wire requests as Core's values; their bounds were checked before.</summary>
internal static class Declared
{
    public static AgentTask Task(TaskDeclaration task) => new(task.Id, task.Process, task.Purpose);

    /// <summary>None is none, however it is written.</summary>
    public static IReadOnlyDictionary<string, string>? Params(IReadOnlyDictionary<string, string>? values) =>
        values is { Count: > 0 } ? values : null;

    public static ToolCall? ToolCall(ToolCallDeclaration? call) => call is null ? null : new(call.Name, call.Arguments);
}
