using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Tokens;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Sys;

/// <summary>Response wrapping: a reply put behind a token that gives it out once.</summary>
internal sealed class Wrapping(DevVaultTokens tokens)
{
    /// <summary>
    /// Refuses a lookup or an unwrapping of no wrapping token, before the caller's own token and policies are looked at:
    /// the wrapped thing may have been unwrapped by somebody else, and its owner must be told so.
    /// </summary>
    public static void Check(DevVaultRequest request, DevVaultTokens tokens)
    {
        if (request.Path is not ("sys/wrapping/lookup" or "sys/wrapping/unwrap"))
        {
            return;
        }

        var fault = request.Body["token"] switch
        {
            null => request.Token.Length == 0 ? "token is empty" : null,
            JsonValue value when value.TryGetValue(out string? text) => text.Length == 0
                ? "empty token in request body"
                : null,
            _ => "could not decode token in request body",
        };
        if (fault is not null)
        {
            throw new DevVaultRefusal(403, $"error validating wrapping token: {fault}");
        }

        if (Find(request, tokens) is not { Wrapped: not null })
        {
            throw new DevVaultRefusal(400, "wrapping token is not valid or does not exist");
        }
    }

    /// <summary>Answers, or null for a path that is not of wrapping.</summary>
    public DevVaultReply? Handle(DevVaultCall call) =>
        call.Path switch
        {
            "wrapping/wrap" when call.Writes => call.Request.WrapTtl == TimeSpan.Zero
                ? throw new DevVaultRefusal(400, "endpoint requires response wrapping to be used")
                : DevVaultReply.Of(call.Fields.Body.DeepClone().AsObject()),
            "wrapping/lookup" when call.Writes || call.Operation == DevVaultOperation.Read => Lookup(
                Find(call.Request, tokens)!
            ),
            "wrapping/unwrap" when call.Writes => Unwrap(call, Find(call.Request, tokens)!),
            _ => null,
        };

    /// <summary>Puts a reply behind a new token.</summary>
    public static DevVaultReply Wrap(
        DevVaultReply reply,
        DevVaultRequest request,
        DevVaultTokens tokens,
        DateTimeOffset now
    )
    {
        var ttl = request.WrapTtl;
        var token = tokens.Add(
            new DevVaultToken
            {
                Id = DevVaultTokens.NewId(),
                Policies = ["response-wrapping"],
                Path = request.Path,
                IssuedAt = now,
                Renewable = false,
                CreationTtl = ttl,
                ExplicitMaxTtl = ttl,
                UsesLeft = 1,
            }
        );
        token.Wrapped = reply.ToJson().DeepClone().AsObject();
        var info = new JsonObject
        {
            ["token"] = token.Id,
            ["accessor"] = token.Accessor,
            ["ttl"] = (long)ttl.TotalSeconds,
            ["creation_time"] = DevVaultDuration.ToText(now),
            ["creation_path"] = request.Path,
        };
        if (reply.Auth?["accessor"] is { } accessor)
        {
            info["wrapped_accessor"] = accessor.DeepClone();
        }

        return new DevVaultReply { WrapInfo = info };
    }

    private static DevVaultReply Lookup(DevVaultToken token) =>
        DevVaultReply.Of(
            new JsonObject
            {
                ["creation_path"] = token.Path,
                ["creation_time"] = DevVaultDuration.ToText(token.IssuedAt),
                ["creation_ttl"] = (long)token.CreationTtl.TotalSeconds,
            }
        );

    private DevVaultReply Unwrap(DevVaultCall call, DevVaultToken token)
    {
        // Its one use is taken as the caller's token, so none is left for it as the token of the body.
        if (call.Fields.Has("token") && token == call.Caller)
        {
            throw DevVaultRefusal.Collected(
                500,
                "error decrementing wrapping token's use-count: invalid token entry provided for use count decrementing"
            );
        }

        tokens.Revoke(token, call.Now);
        return new DevVaultReply { Bare = token.Wrapped };
    }

    private static DevVaultToken? Find(DevVaultRequest request, DevVaultTokens tokens) =>
        tokens.Find(request.Body["token"]?.GetValue<string>() ?? request.Token);
}
