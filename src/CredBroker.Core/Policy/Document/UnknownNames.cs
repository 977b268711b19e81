using CredBroker.Cel;
using CredBroker.Cel.Syntax;

namespace CredBroker.Core.Policy.Document;

/// <summary>
/// Finds literals compared with a name of the document (<c>agent == "x"</c>, <c>credential.name in ["x"]</c>) that the
/// document does not have.
/// </summary>
internal static class UnknownNames
{
    public static IEnumerable<(int Offset, string Message)> In(CelProgram program, PolicyDraft draft)
    {
        foreach (
            var call in program
                .Expression.All()
                .OfType<CelExpression.Call>()
                .Where(call => call.Function is "_==_" or "_!=_" or "@in")
        )
        {
            var (left, right) = (call.Arguments[0], call.Arguments[1]);
            foreach (var (path, literal) in new[] { (left.Path, right), (right.Path, left) })
            {
                if (KnownFor(path, draft) is not var (what, known))
                {
                    continue;
                }

                foreach (var (offset, text) in TextsOf(literal).Where(written => !known.Contains(written.Text)))
                {
                    yield return (offset, $"there is no {what} `{text}`{NearestName.Suggestion(text, known)}");
                }
            }
        }
    }

    private static (string What, List<string> Known)? KnownFor(string? path, PolicyDraft draft) =>
        path switch
        {
            "agent" => ("agent", draft.Agents.ConvertAll(agent => agent.Name.Text)),
            "credential.name" => ("credential", draft.Credentials.ConvertAll(credential => credential.Name.Text)),
            "task.process" => ("process", draft.Processes.ConvertAll(process => process.Name.Text)),
            "credential.access" => ("access", ["read", "write", "external", "privileged"]),
            "credential.impact" => ("impact", ["low", "medium", "high"]),
            "credential.revocation" => ("revocation", ["backend", "crl", "none"]),
            "credential.engine" => ("engine", [.. VaultBinding.Engines]),
            "identity.proof" => ("proof", ["oidc", "jwt-svid"]),
            _ => null,
        };

    private static IEnumerable<(int Offset, string Text)> TextsOf(CelExpression expression) =>
        from item in expression is CelExpression.ListOf list ? list.Items : [expression]
        let text = (item as CelExpression.Literal)?.Value.TryString
        where text is not null
        select (item.Offset, text);
}
