namespace CredBroker.Core.Policy;

/// <summary>One of a tool call's arguments that an approver sees, marked as what the agent says.</summary>
/// <param name="Label">What it is called for people.</param>
/// <param name="Path">Where it stands in the tool call, such as <c>toolCall.arguments.amount</c>.</param>
/// <param name="AsDigest">Whether only its digest is shown: a person may compare it but not read it.</param>
public sealed record ShownArgument(string Label, string Path, bool AsDigest)
{
    internal const string Root = "toolCall.arguments";

    /// <summary>The names that lead from the arguments to the one that is shown; none where all of them are.</summary>
    internal static string[] NamesOf(string path) => path.Split('.')[2..];
}
