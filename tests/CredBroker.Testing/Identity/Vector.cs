namespace CredBroker.Testing.Identity;

/// <summary>The recorded files under <c>Vectors/</c>.</summary>
internal static class Vector
{
    public static readonly DateTimeOffset SpireTime = new(2026, 11, 23, 21, 6, 30, TimeSpan.Zero);
    public static readonly DateTimeOffset KeycloakTime = new(2026, 11, 23, 21, 9, 0, TimeSpan.Zero);
    public const string KeycloakIssuer = "https://idp.example/realms/agents";

    public static string Path(string name) =>
        System.IO.Path.Combine(AppContext.BaseDirectory, "Identity", "Vectors", name);

    public static string Token(string name) => File.ReadAllText(Path(name)).Trim();

    public static byte[] Bytes(string name) => File.ReadAllBytes(Path(name));
}
