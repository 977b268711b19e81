namespace CredBroker.Core.Policy.Document;

/// <summary>Templates of a certificate's names: text with <c>{{identity.field}}</c> in it.</summary>
internal static class NameTemplate
{
    private static readonly string[] Fields = ["issuer", "subject", "workload", "instance", "spiffeId", "trustDomain"];

    /// <summary>
    /// What is wrong with the template, or null. It must name the identity: one name for everybody would be nobody's.
    /// </summary>
    public static string? FaultOf(string template)
    {
        var rest = template.AsSpan();
        var fields = 0;
        while (!rest.IsEmpty)
        {
            var open = rest.IndexOf("{{", StringComparison.Ordinal);
            var fixedPart = open < 0 ? rest : rest[..open];
            if (fixedPart.IndexOfAny('{', '}') >= 0 || fixedPart.ContainsAnyExceptInRange('!', '~'))
            {
                return "outside {{…}} a template takes printable ASCII without spaces and braces";
            }

            if (open < 0)
            {
                break;
            }

            rest = rest[(open + 2)..];
            var close = rest.IndexOf("}}", StringComparison.Ordinal);
            var field = close < 0 ? "" : rest[..close].ToString();
            if (
                !field.StartsWith("identity.", StringComparison.Ordinal)
                || !Fields.Contains(field["identity.".Length..])
            )
            {
                return $"{{{{…}}}} names one of identity.{string.Join(", identity.", Fields)}";
            }

            fields++;
            rest = rest[(close + 2)..];
        }

        return fields > 0 ? null : "a template names the identity, as in {{identity.spiffeId}}";
    }
}
