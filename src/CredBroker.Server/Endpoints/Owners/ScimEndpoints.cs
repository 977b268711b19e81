using System.Text.Json;
using CredBroker.Core.Owners;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Owners;

/// <summary>
/// Two calls of SCIM 2.0 (RFC 7644) by which a directory says that a user is gone or back. No users are kept: a user is
/// the subject of the caller's own issuer, and nothing else of one is known or changed.
/// </summary>
internal static class ScimEndpoints
{
    private const string Path = "/scim/v2/Users/{id}";
    private const string PatchOp = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    private const string Active = "active";

    private static readonly Refusal NotThis = new(
        RefusalCode.FieldInvalid,
        "This broker takes one operation: replace of active with true or false."
    );

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapPatch(Path, PatchAsync)
            .WithName("scimPatchUser")
            .WithSummary("A user of the caller's issuer is active no more, or again (SCIM).")
            .ForRoles(TakenRoles.Admins)
            .Accepts<ScimPatch>("application/json", ScimErrors.MediaType)
            .Produces(StatusCodes.Status204NoContent);
        routes
            .MapDelete(Path, DeleteAsync)
            .WithName("scimDeleteUser")
            .WithSummary("A user of the caller's issuer is gone (SCIM).")
            .ForRoles(TakenRoles.Admins)
            .Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> PatchAsync(
        string id,
        HttpContext http,
        CallingPerson admin,
        PeopleActions actions,
        OwnerOrders owners,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, ScimJson.Default.ScimPatch, ScimErrors.MediaType);
        if (!read.Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        if (ActiveOf(body) is not { } active)
        {
            return new Refused(NotThis);
        }

        return await SetAsync(id, active, admin, actions, owners, cancellationToken);
    }

    private static Task<IResult> DeleteAsync(
        string id,
        CallingPerson admin,
        PeopleActions actions,
        OwnerOrders owners,
        CancellationToken cancellationToken
    ) => SetAsync(id, active: false, admin, actions, owners, cancellationToken);

    private static async Task<IResult> SetAsync(
        string id,
        bool active,
        CallingPerson admin,
        PeopleActions actions,
        OwnerOrders owners,
        CancellationToken cancellationToken
    )
    {
        var check = new FieldCheck();
        // What is still escaped here would be the subject of somebody else, or of nobody.
        check.Require(!id.Contains('%', StringComparison.Ordinal), "id must not hold %, nor a slash.");
        check.IdentityText("id", id);
        if (check.Refusal is { } fault)
        {
            return new Refused(fault);
        }

        var (issuer, actor, call) = (admin.Person.Issuer, admin.Actor, admin.Call);
        Refusal? refusal;
        if (active)
        {
            var back = await owners.ReinstateAsync(issuer, id, "scim: active", actor, call, cancellationToken);
            back.Passes(out _, out refusal);
        }
        else
        {
            var gone = await owners.RetireAsync(issuer, id, "scim: not active", actor, call, cancellationToken);
            gone.Passes(out _, out refusal);
        }

        // Who is active already is left as they are.
        return refusal is null || (active && refusal.Code == RefusalCode.OwnerNotRetired)
            ? Results.NoContent()
            : await actions.RefuseAsync(admin, refusal);
    }

    /// <summary>What the one operation says; null where it is another one.</summary>
    private static bool? ActiveOf(ScimPatch body)
    {
        if (
            body.Schemas?.Contains(PatchOp, StringComparer.Ordinal) != true
            || body.Operations is not [{ } operation]
            || !string.Equals(operation.Op, "replace", StringComparison.OrdinalIgnoreCase)
        )
        {
            return null;
        }

        var value = operation.Value;
        if (operation.Path is null && value.ValueKind == JsonValueKind.Object)
        {
            return value.EnumerateObject().ToList() is [{ Value: var only } member] && IsActive(member.Name)
                ? Truth(only)
                : null;
        }

        return operation.Path is { } path && IsActive(path) ? Truth(value) : null;

        static bool IsActive(string name) => string.Equals(name, Active, StringComparison.OrdinalIgnoreCase);

        static bool? Truth(JsonElement value) =>
            value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => null,
            };
    }
}
