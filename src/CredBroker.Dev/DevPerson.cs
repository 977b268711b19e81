namespace CredBroker.Dev;

/// <summary>A person of dev mode.</summary>
/// <param name="Name">The name by which a token is asked for.</param>
/// <param name="Subject">The token's <c>sub</c>.</param>
/// <param name="Role">The role that the token carries.</param>
public sealed record DevPerson(string Name, string Subject, string Role)
{
    /// <summary>Who answers for the processes of the dev policy: sees everything, and approves what is asked of them.</summary>
    public static DevPerson Owner { get; } = new("owner", "dev-owner", "owner");

    /// <summary>May revoke.</summary>
    public static DevPerson Admin { get; } = new("admin", "dev-admin", "admin");

    /// <summary>May read everything and export the audit log.</summary>
    public static DevPerson Auditor { get; } = new("auditor", "dev-auditor", "auditor");

    /// <summary>Everybody there is.</summary>
    public static IReadOnlyList<DevPerson> All { get; } = [Admin, Auditor, Owner];
}
