using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.State;

namespace CredBroker.Storage.Sql.Policies;

/// <summary>A policy version, as selected by <see cref="Select"/> or <see cref="SelectWithoutText"/>.</summary>
internal sealed class PolicyRow
{
    private const string Others = """
        version AS Version, hash AS Hash, applied_at AS AppliedAt, author_issuer AS AuthorIssuer,
          author_subject AS AuthorSubject, restores AS Restores, reason AS Reason
        """;

    /// <summary>Selects it; a condition follows.</summary>
    public const string Select = "SELECT document AS Document, " + Others + " FROM policy_version";

    /// <summary>Selects it without its document, which may be long.</summary>
    public const string SelectWithoutText = "SELECT NULL AS Document, " + Others + " FROM policy_version";

    public long Version { get; init; }

    public required string Hash { get; init; }

    public string? Document { get; init; }

    public long AppliedAt { get; init; }

    public string? AuthorIssuer { get; init; }

    public string? AuthorSubject { get; init; }

    public long? Restores { get; init; }

    public required string Reason { get; init; }

    /// <exception cref="JsonException">The document is damaged.</exception>
    public AppliedPolicyRecord ToRecord() =>
        With(
            Document is null
                ? new() { Name = "", Text = "" }
                : JsonSerializer.Deserialize(Document, StateJson.Default.PolicyDocument)!
        );

    /// <summary>One damaged version keeps nobody from the others: it has no text, which no policy is.</summary>
    public AppliedPolicyRecord ToRecordOrDamaged()
    {
        try
        {
            return ToRecord();
        }
        catch (JsonException)
        {
            return With(new() { Name = "damaged", Text = "" });
        }
    }

    private AppliedPolicyRecord With(PolicyDocument document) =>
        new(Version, Hash, document, ColumnValue.Time(AppliedAt))
        {
            Origin = new()
            {
                Author = AuthorSubject is null ? null : AuditActor.Person(AuthorIssuer ?? "", AuthorSubject),
                Restores = Restores,
                Reason = Reason,
            },
        };
}
