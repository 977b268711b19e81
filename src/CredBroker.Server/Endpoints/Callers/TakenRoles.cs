using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>The roles that an endpoint for people takes, as metadata; a person needs one of them.</summary>
internal sealed record TakenRoles(IReadOnlyList<PersonRole> Roles)
{
    /// <summary>Roles that may look at leases, revocations, processes and policy.</summary>
    public static readonly TakenRoles Readers = new([PersonRole.Viewer, PersonRole.Auditor, PersonRole.Admin]);

    /// <summary>Roles that may revoke and close.</summary>
    public static readonly TakenRoles Admins = new([PersonRole.Admin]);

    /// <summary>Roles that may decide what they are asked; no other role includes it.</summary>
    public static readonly TakenRoles Approvers = new([PersonRole.Approver]);

    /// <summary>Roles that may look at time boxes: an approver at their own.</summary>
    public static readonly TakenRoles TimeBoxReaders = new([.. Readers.Roles, PersonRole.Approver]);

    /// <summary>Roles that may end time boxes: an approver their own.</summary>
    public static readonly TakenRoles TimeBoxEnders = new([PersonRole.Approver, PersonRole.Admin]);

    /// <summary>Roles that may export the audit log.</summary>
    public static readonly TakenRoles Auditors = new([PersonRole.Auditor]);

    /// <summary>Takes every person, one without a role too: for what concerns nothing but the caller.</summary>
    public static readonly TakenRoles Everybody = new(Enum.GetValues<PersonRole>()) { NeedsNone = true };

    /// <summary>Takes nobody: what an endpoint means that names no roles.</summary>
    public static readonly TakenRoles None = new([]);

    /// <summary>The roles that the endpoint of a request takes.</summary>
    public static TakenRoles Of(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<TakenRoles>() ?? None;

    /// <summary>Whether a person without any role is taken, too.</summary>
    public bool NeedsNone { get; private init; }

    /// <summary>Whether the person has one of the roles, or needs none.</summary>
    public bool Admit(Person person) => NeedsNone || Roles.Any(person.Roles.Contains);

    /// <summary>What a person without any of them is told.</summary>
    public Refusal Refusal =>
        new(
            RefusalCode.RoleMissing,
            $"This call needs one of the roles: {string.Join(", ", Roles.Select(KebabCase.Of))}."
        );
}
