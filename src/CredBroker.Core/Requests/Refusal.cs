namespace CredBroker.Core.Requests;

/// <summary>An expected "no", as a value: a stable code, a sentence for the caller, and when to try again.</summary>
/// <param name="Code">The stable code.</param>
/// <param name="Detail">What is wrong and what to do next, in words that name no rule text and no secret.</param>
/// <param name="RetryAfter">When trying again makes sense; null when it does not.</param>
public sealed record Refusal(RefusalCode Code, string Detail, TimeSpan? RetryAfter = null)
{
    /// <summary>The code as it is said everywhere, such as <c>CB1010</c>.</summary>
    public string CodeText => $"CB{(int)Code}";
}
