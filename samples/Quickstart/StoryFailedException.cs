namespace CredBroker.Samples.Quickstart;

/// <summary>A step did not happen as it should.</summary>
internal sealed class StoryFailedException(string message) : Exception(message);
