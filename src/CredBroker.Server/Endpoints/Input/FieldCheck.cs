using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Server.Endpoints.Input;

/// <summary>
/// Checks the fields of a request against their bounds and collects every fault, so that a developer mends a request
/// once.
/// </summary>
internal sealed class FieldCheck
{
    public const int MaxName = 128;
    public const int MaxPurpose = 1000;
    public const int MaxActions = 32;
    public const int MaxArguments = 32 * 1024;
    public const int MaxIdentityText = 2048;
    private const int MaxFaults = 10;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@+=~-"
    );
    private static readonly SearchValues<char> ToolCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@+=~-/"
    );
    private static readonly TimeSpan MaxTtl = TimeSpan.FromHours(24);

    private List<string>? _faults;

    /// <summary>All faults as one refusal; null when there is none.</summary>
    public Refusal? Refusal => _faults is null ? null : new(RefusalCode.FieldInvalid, string.Join(' ', _faults));

    /// <summary>What was checked, if there is no fault.</summary>
    public Checked<T> Of<T>(T value)
        where T : class => Refusal is { } refusal ? refusal : value;

    /// <summary>
    /// A name: 1 to 128 letters, digits and <c>. _ : @ + = ~ -</c>, so that it can stand in a path, a log line and a
    /// table.
    /// </summary>
    public void Name(string field, string? value)
    {
        if (!IsOf(value, NameCharacters))
        {
            Add($"{field} must have 1 to {MaxName} letters, digits or . _ : @ + = ~ - characters.");
        }
    }

    /// <summary>A name, where there is one.</summary>
    public void OptionalName(string field, string? value)
    {
        if (value is not null)
        {
            Name(field, value);
        }
    }

    /// <summary>The id of something that the broker made.</summary>
    public void OptionalId(string field, string? value)
    {
        if (value is not null && !Ids.IsValid(value))
        {
            Add($"{field} must be an id as the broker gave it: 32 hexadecimal digits.");
        }
    }

    /// <summary>Free text of bounded length; control characters were refused with the body.</summary>
    public void Text(string field, string? value, int max)
    {
        if (value?.Length > max)
        {
            Add($"{field} must have at most {max} characters.");
        }
    }

    /// <summary>Free text that must say something.</summary>
    public void Statement(string field, string? value, int max)
    {
        if (string.IsNullOrWhiteSpace(value) || value.Length > max)
        {
            Add($"{field} must say something, in at most {max} characters.");
        }
    }

    /// <summary>A body that holds a person's reason for what it asks, and nothing else to check.</summary>
    public static Checked<T> Reasoned<T>(T body, string? reason)
        where T : class
    {
        var check = new FieldCheck();
        check.Statement("reason", reason, MaxPurpose);
        return check.Of(body);
    }

    /// <summary>
    /// Text as identities hold it: not empty, bounded, every character visible (what no identity can be called would
    /// select nothing, and an admin would not see why).
    /// </summary>
    public void IdentityText(string field, string? value)
    {
        if (value is not null && (value.Length is 0 or > MaxIdentityText || !VisibleText.IsIn(value)))
        {
            Add($"{field} must have 1 to {MaxIdentityText} characters, none of them invisible or blank.");
        }
    }

    /// <summary>1 to 32 distinct names.</summary>
    public void Actions(IReadOnlyList<string> values)
    {
        Require(values.Count is > 0 and <= MaxActions, "actions must hold 1 to 32 actions.");
        Require(
            values.Count == 1 || values.Distinct(StringComparer.Ordinal).Count() == values.Count,
            "actions must not hold an action twice."
        );
        foreach (var value in values.Take(MaxActions))
        {
            Name("actions", value);
        }
    }

    /// <summary>A wished life of a secret.</summary>
    public void Ttl(TimeSpan? value) =>
        Require(
            value is null || (value >= TimeSpan.FromSeconds(1) && value <= MaxTtl),
            "ttl must lie between 1s and 24h."
        );

    /// <summary>Parameters of a credential: few, and each one segment of a path.</summary>
    public void Params(IReadOnlyDictionary<string, string>? values)
    {
        if (values is null)
        {
            return;
        }

        Require(
            values.Count <= CatalogueParameter.Most && values.Keys.All(CatalogueParameter.IsName),
            "params must hold at most 8 parameters, each named by a letter and then letters, digits or _."
        );
        Require(
            values.Values.All(value => value is not null && CatalogueParameter.IsSegment(value)),
            "params must have values of 1 to 128 letters, digits or - _ . characters, and no . or .. alone."
        );
    }

    /// <summary>A declared task.</summary>
    public void Task(TaskDeclaration task)
    {
        Name("task.id", task.Id);
        Name("task.process", task.Process);
        Require(!string.IsNullOrWhiteSpace(task.Purpose), "task.purpose must not be empty.");
        Text("task.purpose", task.Purpose, MaxPurpose);
    }

    /// <summary>A declared tool call.</summary>
    public void ToolCall(ToolCallDeclaration? call)
    {
        if (call is not null)
        {
            Require(
                IsOf(call.Name, ToolCharacters),
                "toolCall.name must have 1 to 128 letters, digits or . _ : @ + = ~ - / characters."
            );
            Require(call.Arguments.ValueKind == JsonValueKind.Object, "toolCall.arguments must be a JSON object.");
            Require(
                JsonMarshal.GetRawUtf8Value(call.Arguments).Length <= MaxArguments,
                "toolCall.arguments must have at most 32768 bytes."
            );
        }
    }

    /// <summary>A key against double issuance: 1 to 128 visible ASCII characters.</summary>
    public void IdempotencyKey(string? value) =>
        Require(
            value is null || (value.Length is > 0 and <= MaxName && !value.AsSpan().ContainsAnyExceptInRange('!', '~')),
            "idempotencyKey must have 1 to 128 visible ASCII characters."
        );

    /// <summary>Anything else.</summary>
    public void Require(bool holds, string fault)
    {
        if (!holds)
        {
            Add(fault);
        }
    }

    private static bool IsOf(string? value, SearchValues<char> alphabet) =>
        value is { Length: > 0 and <= MaxName } && !value.AsSpan().ContainsAnyExcept(alphabet);

    private void Add(string fault)
    {
        if ((_faults ??= []).Count < MaxFaults)
        {
            _faults.Add(fault);
        }
    }
}
