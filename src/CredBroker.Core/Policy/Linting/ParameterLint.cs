using CredBroker.Cel.Syntax;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.Policy.Linting;

/// <summary>
/// A parameter that no rule looks at is the agent's to choose: every value that the pattern takes is allowed to whoever may
/// have the credential at all.
/// </summary>
internal static class ParameterLint
{
    private static readonly string[] Askers = ["agent", "task.process"];

    public static void Check(CredentialDraft credential, List<RuleScope> all, PolicyFaultList warnings)
    {
        var reaching = all.FindAll(rule => rule.Fault is null && rule.Reaches(credential.Item));
        foreach (var parameter in credential.Item.Entry.Params ?? [])
        {
            var bounds = reaching.FindAll(rule => !rule.IsGrant && Compares(rule, parameter.Name));
            foreach (
                var rule in reaching.Where(rule =>
                    rule.IsGrant && !Compares(rule, parameter.Name) && !bounds.Exists(bound => IsForAllOf(bound, rule))
                )
            )
            {
                warnings.Add(
                    credential.Name,
                    $"the rule `{rule.Id}` gives `{credential.Name.Text}` for any {parameter.Name}: "
                        + $"compare request.params.{parameter.Name} in its condition, or deny what it may not be"
                );
            }
        }
    }

    /// <summary>
    /// A condition that reads what a request need not have fails there, and a rule that fails denies. Whichever credential
    /// it is about, it may say by other means than <c>==</c>: one that looks at the credential's name is taken to know.
    /// </summary>
    public static void Check(RuleScope rule, PolicyDraft draft, PolicyFaultList warnings)
    {
        var program = rule.Draft.When!;
        if (rule.Fault is not null || program.Reads.Contains("credential.name"))
        {
            return;
        }

        var selects = program.Expression.All().OfType<CelExpression.Select>().Where(IsParameter).ToList();
        foreach (var name in selects.Where(select => !select.IsTest).Select(select => select.Field).Distinct())
        {
            if (
                !selects.Exists(select => select.IsTest && select.Field == name)
                && draft.Credentials.Find(credential => rule.Reaches(credential.Item) && !Has(credential, name))
                    is { } without
            )
            {
                warnings.Add(
                    rule.Draft.Id,
                    $"the rule `{rule.Id}` fails, and so denies, where a request has no {name}, as for "
                        + $"`{without.Name.Text}`: compare credential.name first, or ask has(request.params.{name})"
                );
            }
        }

        static bool IsParameter(CelExpression.Select select) => select.Operand.Path == "request.params";

        static bool Has(CredentialDraft credential, string name) =>
            credential.Item.Entry.Params?.Any(parameter => parameter.Name == name) == true;
    }

    /// <summary>One that denies bounds what another grants, unless it is about some agents or processes and that is not.</summary>
    private static bool IsForAllOf(RuleScope bound, RuleScope grant) =>
        Array.TrueForAll(Askers, path => bound.PinnedTo(path) is not { } only || grant.PinnedTo(path) == only);

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
