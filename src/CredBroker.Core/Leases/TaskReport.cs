using CredBroker.Core.Requests;

namespace CredBroker.Core.Leases;

/// <summary>An agent's report of what it did: a statement, recorded as such.</summary>
/// <param name="Status"><c>succeeded</c>, <c>failed</c> or <c>abandoned</c>.</param>
/// <param name="Summary">At most 2,000 characters.</param>
/// <param name="ToolCall">The tool call as it was made.</param>
public sealed record TaskReport(string Status, string Summary, ToolCall? ToolCall);
