namespace CredBroker.Core.Policy.Document;

/// <summary>
/// Templates of a certificate's names: text with <c>{{identity.field}}</c> in it. Two identities never share a name that
/// a template gives them because the border between two fields has moved: each field stands in a segment of its own.
/// </summary>
internal static class NameTemplate
{
    private const string SpiffeId = "spiffeId";

    private static readonly string[] Fields = ["issuer", "subject", "workload", "instance", SpiffeId, "trustDomain"];

    /// <summary>
    /// What is wrong with the template of a URI or a common name, or null. It must name the identity: one name for
    /// everybody would be nobody's.
    /// </summary>
    public static string? FaultOf(string template) =>
        FaultOf(template, c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'), "'/' or ':'");

    /// <summary>What is wrong with the template of a host name, or null.</summary>
    public static string? FaultOfHost(string template) => FaultOf(template, c => c == '.', "'.'");

    private static string? FaultOf(string template, Func<char, bool> separates, string separators)
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

            if (fields > 0 && !fixedPart.ToString().Any(separates))
            {
                return $"two fields must stand apart, with {separators} between them: "
                    + "otherwise two identities could be given one name";
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

            rest = rest[(close + 2)..];
            fields++;
            if (field == $"identity.{SpiffeId}" && (fields > 1 || open > 0 || !rest.IsEmpty))
            {
                return "{{identity.spiffeId}} is a whole name and stands alone: with more after it, it could be "
                    + "the SPIFFE ID of another workload";
            }
        }

        return fields > 0 ? null : "a template names the identity, as in {{identity.spiffeId}}";
    }
}
