namespace CredBroker.Cli.Login;

/// <summary>A login as it is kept: for one broker, and never sent to another.</summary>
/// <param name="Target">What it is a login for, and where the next token comes from.</param>
/// <param name="Tokens">The tokens.</param>
internal sealed record StoredLogin(LoginTarget Target, IssuedTokens Tokens);
