using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Core.Identity.Verification;
using CredBroker.Server.Identity.Keys;

namespace CredBroker.Server.Identity.Settings;

/// <summary>Reads which directory is asked about an issuer's people.</summary>
internal static class ScimSettings
{
    private static readonly TimeSpan Least = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Most = TimeSpan.FromDays(1);

    /// <summary>The directory; null where there is none, or <paramref name="faults"/> was told something.</summary>
    public static ConfiguredDirectory? Read(IssuerOptions options, bool devMode, SettingFaults faults)
    {
        var scim = options.Scim;
        if (scim.Url.Length == 0)
        {
            faults.Require(
                scim.TokenFile.Length == 0 && scim.CaFile.Length == 0,
                "Scim:Url",
                "is missing; write the base address of the directory, under which it has /Users"
            );
            return null;
        }

        faults.Require(
            options.Use == IssuerOptions.ForPeople,
            "Scim",
            "is set, but the issuer is for workloads, which own nothing; leave it out"
        );
        faults.Require(
            !scim.Url.Contains('?', StringComparison.Ordinal) && KeyAddress.TryParse(scim.Url, devMode, out _),
            "Scim:Url",
            $"is '{scim.Url}'; write an https address without query, fragment or user "
                + "(plain http is accepted on loopback in dev mode only)"
        );
        faults.Require(
            scim.Attribute.Length is > 0 and <= 64
                && char.IsAsciiLetter(scim.Attribute[0])
                && scim.Attribute.All(char.IsAsciiLetterOrDigit),
            "Scim:Attribute",
            $"is '{scim.Attribute}'; write the attribute that holds the subject, such as id, externalId or userName"
        );
        faults.Require(
            scim.Every >= Least && scim.Every <= Most,
            "Scim:Every",
            $"is {scim.Every}; write a time from {Least} to {Most}"
        );
        faults.Require(scim.MaxGone is >= 0 and <= 1000, "Scim:MaxGone", $"is {scim.MaxGone}; write 0 to 1000");
        if (scim.TokenFile.Length == 0)
        {
            faults.Add("Scim:TokenFile", "is missing; write the path of a file with the directory's bearer token");
        }
        else if (FaultOf(() => KeyFile.ReadToken(scim.TokenFile)) is { } token)
        {
            faults.Add("Scim:TokenFile", $"cannot be used: {token}; write the path of a file with a bearer token");
        }

        if (scim.CaFile.Length > 0 && FaultOf(() => Authorities(scim.CaFile)) is { } authorities)
        {
            faults.Add("Scim:CaFile", $"cannot be used: {authorities}; write the path of a PEM file");
        }

        return faults.Any ? null : new(options.Issuer, scim);
    }

    private static X509ChainPolicy Authorities(string file) =>
        CertificateAuthorities.TrustOnly(file) is { CustomTrustStore.Count: > 0 } trust
            ? trust
            : throw new KeyDocumentException($"the file '{file}' holds no certificate");

    private static string? FaultOf(Func<object> read)
    {
        try
        {
            read();
            return null;
        }
        catch (Exception e)
            when (e is KeyDocumentException or IOException or UnauthorizedAccessException or CryptographicException)
        {
            return e.Message.TrimEnd('.');
        }
    }
}
