using System.Text.Json.Nodes;

namespace CredBroker.Dev.Vault.Values;

/// <summary>RFC 7386.</summary>
internal static class MergePatch
{
    /// <summary>The target as the patch changes it: a null removes, an object is merged, all else replaces.</summary>
    public static JsonObject Apply(JsonObject target, JsonObject patch)
    {
        var merged = target.DeepClone().AsObject();
        foreach (var (key, value) in patch)
        {
            switch (value)
            {
                case null:
                    merged.Remove(key);
                    break;
                case JsonObject inner:
                    merged[key] = Apply(merged[key] as JsonObject ?? [], inner);
                    break;
                default:
                    merged[key] = value.DeepClone();
                    break;
            }
        }

        return merged;
    }
}
