using System.Text.RegularExpressions;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy;

/// <summary>A catalogue entry as a decision uses it: the words that conditions compare are made once.</summary>
internal sealed class CatalogueItem(
    CatalogueEntry entry,
    IReadOnlyDictionary<string, ArgumentSchema>? toolSchemas,
    bool toolCallIsOptional,
    IReadOnlyDictionary<string, Regex> patterns
)
{
    public CatalogueEntry Entry => entry;

    /// <summary>Schemas by tool; null where the entry has none. A tool that is not among them is refused.</summary>
    public IReadOnlyDictionary<string, ArgumentSchema>? ToolSchemas => toolSchemas;

    public string Access { get; } = WordOf(entry.Access);

    public string Impact { get; } = WordOf(entry.Impact);

    public string Revocation { get; } = WordOf(entry.Vault.Revocation);

    /// <summary>
    /// The effective <c>reversible</c>: false where a revocation reaches less than the backend, unless the process accepts
    /// that.
    /// </summary>
    public bool IsReversibleIn(BusinessProcess process) => Entry.IsReversibleIn(process);

    /// <summary>
    /// Whether people may let it be issued again for a while: never what cannot be undone, as far as this process goes,
    /// and never what is of high impact.
    /// </summary>
    public bool TakesTimeBoxIn(BusinessProcess process) => Entry.Impact != ImpactLevel.High && IsReversibleIn(process);

    /// <summary>The entry with the path that the request's parameters make; they have been checked.</summary>
    public CatalogueEntry Resolve(CredentialRequest request) =>
        entry is { Params: not null, Vault: VaultBinding.KeyValue kv } && request.Params is { } values
            ? entry with
            {
                Params = null,
                Vault = kv with { Path = PathTemplate.Fill(kv.Path, name => values[name]) },
            }
            : entry;

    /// <summary>Whether the parameter takes the value.</summary>
    public bool Takes(string name, string value) =>
        CatalogueParameter.IsSegment(value) && patterns.TryGetValue(name, out var pattern) && pattern.IsMatch(value);

    /// <summary>What the parameter's whole value has to match, as the document says it; null where there is none such.</summary>
    public string? PatternOf(string name) => Entry.Params?.FirstOrDefault(parameter => parameter.Name == name)?.Pattern;

    /// <summary>
    /// Why the entry cannot serve the request, whoever asks: its actions, its ttl, its parameters, its tool call. Null
    /// where it can.
    /// </summary>
    public Refusal? Check(CredentialRequest request)
    {
        if (request.Actions.Count == 0)
        {
            return PolicyRefusals.ActionNotOffered;
        }

        foreach (var action in request.Actions)
        {
            if (!Entry.Actions.Contains(action))
            {
                return PolicyRefusals.ActionNotOffered;
            }
        }

        if (request.Ttl < TimeSpan.FromSeconds(1))
        {
            return PolicyRefusals.TtlTooShort;
        }

        if (CheckParams(request.Params) is { } fault)
        {
            return PolicyRefusals.Params(fault);
        }

        if (ToolSchemas is null)
        {
            return null;
        }

        // Leaving the call out must not be a way around what its arguments are checked against.
        if (request.ToolCall is not { } call)
        {
            return toolCallIsOptional ? null : PolicyRefusals.ToolMissing;
        }

        if (!ToolSchemas.TryGetValue(call.Name, out var schema))
        {
            return PolicyRefusals.ToolUnknown;
        }

        return schema.Check(call.Arguments) is { } wrong ? PolicyRefusals.ToolArguments(wrong) : null;
    }

    private string? CheckParams(IReadOnlyDictionary<string, string>? values)
    {
        if (values?.Keys.FirstOrDefault(name => !patterns.ContainsKey(name)) is { } stray)
        {
            return $"it takes no `{stray}`";
        }

        if (Entry.Params is not { } expected)
        {
            return null;
        }

        foreach (var (name, _) in expected)
        {
            if (values?.GetValueOrDefault(name) is not { } value)
            {
                return $"`{name}` is missing";
            }

            // What the pattern takes is no path yet.
            if (!Takes(name, value))
            {
                return $"`{name}` is not of the form that the catalogue says";
            }
        }

        return null;
    }

    private static string WordOf<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();
}
