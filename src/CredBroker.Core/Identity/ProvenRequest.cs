namespace CredBroker.Core.Identity;

/// <summary>
/// The facts of a request that a proof of possession is bound to, as the server saw them and never as the proof claims
/// them.
/// </summary>
/// <param name="Method">The HTTP method (DPoP <c>htm</c>).</param>
/// <param name="Target">The address without query and fragment (DPoP <c>htu</c>, WPT <c>aud</c>).</param>
public sealed record ProvenRequest(string Method, Uri Target);
