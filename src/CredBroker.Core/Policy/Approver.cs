using System.Text.Json.Serialization;

namespace CredBroker.Core.Policy;

/// <summary>Who may agree to a challenge: people by their role or group, or one person.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "by")]
[JsonDerivedType(typeof(Role), "role")]
[JsonDerivedType(typeof(Group), "group")]
[JsonDerivedType(typeof(Person), "person")]
public abstract record Approver
{
    private Approver() { }

    /// <summary>Whoever has the role at this broker.</summary>
    public sealed record Role(string Name) : Approver;

    /// <summary>Whoever is in the group, by the claim that their issuer's settings name.</summary>
    public sealed record Group(string Name) : Approver;

    /// <summary>One person, as issuer and subject. The process's owner is resolved to one when the request is decided.</summary>
    public sealed record Person(string Issuer, string Subject) : Approver;
}
