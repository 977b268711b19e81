using CredBroker.Cel.Syntax;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.Policy.Linting;

/// <summary>
/// A parameter that no rule looks at is the agent's to choose: every value that the pattern takes is allowed to whoever may
/// have the credential at all.
/// </summary>
internal static class ParameterLint
{
    public static void Check(CredentialDraft credential, List<RuleScope> all, PolicyFaultList warnings)
    {
        var reaching = all.FindAll(rule => rule.Fault is null && rule.Reaches(credential.Item));
        foreach (var parameter in credential.Item.Entry.Params ?? [])
        {
            // One that denies bounds what all others grant.
            if (reaching.Exists(rule => !rule.IsGrant && Compares(rule, parameter.Name)))
            {
                continue;
            }

            foreach (var rule in reaching.Where(rule => rule.IsGrant && !Compares(rule, parameter.Name)))
            {
                warnings.Add(
                    credential.Name,
                    $"the rule `{rule.Id}` gives `{credential.Name.Text}` for any {parameter.Name}: "
                        + $"compare request.params.{parameter.Name} in its condition, or deny what it may not be"
                );
            }
        }
    }

    /// <summary>Whether the condition reads its value; that there is one says nothing.</summary>
    private static bool Compares(RuleScope rule, string name) =>
        rule
            .Draft.When!.Expression.All()
            .Any(part =>
                part switch
                {
                    CelExpression.Select { IsTest: false } select => select.Path == $"request.params.{name}",
                    CelExpression.Call { Function: "_[_]", Arguments: [{ Path: "request.params" }, var key] } => (
                        key as CelExpression.Literal
                    )
                        ?.Value
                        .TryString == name,
                    _ => false,
                }
            );
}
