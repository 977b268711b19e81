using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Tokens;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Sys;

/// <summary>Response wrapping: a reply put behind a token that gives it out once.</summary>
internal sealed class Wrapping(DevVaultTokens tokens)
{
    /// <summary>
    /// The one path on which an unknown token is told so: it may have been unwrapped by somebody else.
    /// </summary>
    public const string UnwrapPath = "sys/wrapping/unwrap";

    /// <summary>400: no such wrapping, any more or at all.</summary>
    public static DevVaultRefusal Unknown() => new(400, "wrapping token is not valid or does not exist");

    /// <summary>Answers, or null for a path that is not of wrapping.</summary>
    public DevVaultReply? Handle(DevVaultCall call) =>
        call.Path switch
        {
            "wrapping/wrap" when call.Writes => call.Request.WrapTtl.Length == 0
                ? throw new DevVaultRefusal(400, "endpoint requires response wrapping to be used")
                : DevVaultReply.Of(call.Fields.Body.DeepClone().AsObject()),
            "wrapping/lookup" when call.Writes => Lookup(Find(call)),
            "wrapping/unwrap" when call.Writes => Unwrap(call, Find(call)),
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
        if (!DevVaultDuration.TryParse(request.WrapTtl, out var ttl) || ttl < TimeSpan.FromSeconds(1))
        {
            throw new DevVaultRefusal(400, "invalid wrap TTL");
        }

        var token = tokens.Add(
            new DevVaultToken
            {
                Id = DevVaultTokens.NewId(),
                Policies = ["response-wrapping"],
                Path = request.Path,
                DisplayName = "wrapping",
                IssuedAt = now,
                Renewable = false,
                CreationTtl = ttl,
                ExplicitMaxTtl = ttl,
            }
        );
        token.Wrapped = reply.ToJson().DeepClone().AsObject();
        return new DevVaultReply
        {
            WrapInfo = new JsonObject
            {
                ["token"] = token.Id,
                ["accessor"] = token.Accessor,
                ["ttl"] = (long)ttl.TotalSeconds,
                ["creation_time"] = DevVaultDuration.ToText(now),
                ["creation_path"] = request.Path,
            },
        };
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
        tokens.Revoke(token, call.Now);
        return new DevVaultReply { Bare = token.Wrapped };
    }

    private DevVaultToken Find(DevVaultCall call)
    {
        var token = call.Fields.Text("token") is { Length: > 0 } named ? tokens.Find(named) : call.Caller;
        return token is { Wrapped: not null } ? token : throw Unknown();
    }
}
