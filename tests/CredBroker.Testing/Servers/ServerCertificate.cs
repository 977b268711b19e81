namespace CredBroker.Testing.Servers;

/// <summary>A server's certificate and its key, as PEM.</summary>
public sealed record ServerCertificate(string Certificate, string Key)
{
    /// <summary>Writes both where only the folder's owner reads the key; returns PostgreSQL's settings for them.</summary>
    internal string Write(DirectoryInfo folder)
    {
        var (certificate, key) = (Path.Combine(folder.FullName, "tls.crt"), Path.Combine(folder.FullName, "tls.key"));
        File.WriteAllText(certificate, Certificate);
        File.WriteAllText(key, Key);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return $" -c ssl=on -c ssl_cert_file={certificate} -c ssl_key_file={key}";
    }
}
