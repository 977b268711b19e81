using CredBroker.Cel;
using CredBroker.Cel.Checking;
using CredBroker.Cel.Nodes;
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
            foreach (var (path, literal) in new[] { (CelPath.Of(left), right), (CelPath.Of(right), left) })
            {
                if (KnownFor(path, draft) is not var (what, known))
                {
                    continue;
                }

                foreach (var text in TextsOf(literal).Where(text => !known.Contains(text.Value.String)))
                {
                    yield return (
                        text.Offset,
                        $"there is no {what} `{text.Value.String}`{NearestName.Suggestion(text.Value.String, known)}"
                    );
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
            "credential.engine" => ("engine", ["database", "dynamic", "pki", "kv", "token"]),
            "identity.proof" => ("proof", ["oidc", "jwt-svid"]),
            _ => null,
        };

    private static IEnumerable<CelExpression.Literal> TextsOf(CelExpression expression) =>
        (expression is CelExpression.ListOf list ? list.Items : [expression])
            .OfType<CelExpression.Literal>()
            .Where(literal => literal.Value.TryString is not null);
}
