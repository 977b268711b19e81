using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Pki;

/// <summary>
/// A certificate's names, from the request or (Vault's default) from the CSR, as far as the role allows them.
/// </summary>
internal sealed record PkiNames(X500DistinguishedName Subject, X509Extension? Alternative)
{
    private const string AlternativeNameOid = "2.5.29.17";

    /// <summary>Decides the names, or refuses.</summary>
    public static PkiNames Of(DevVaultFields fields, RoleSettings role, CertificateRequest? csr, List<string> warnings)
    {
        var (commonFromCsr, othersFromCsr) = (
            csr is not null && role.Flag("use_csr_common_name"),
            csr is not null && role.Flag("use_csr_sans")
        );
        var commonName =
            commonFromCsr && CommonName(csr!.SubjectName) is { Length: > 0 } theirs
                ? theirs
                : fields.Text("common_name");
        if (commonFromCsr && fields.Has("common_name"))
        {
            warnings.Add(
                "the common_name field was provided but the role is set with \"use_csr_common_name\" set to true"
            );
        }

        if (commonName.Length == 0 && role.Flag("require_cn"))
        {
            throw new DevVaultRefusal(
                400,
                "the common_name field is required, or must be provided in a CSR "
                    + "with \"use_csr_common_name\" set to true, unless \"require_cn\" is set to false"
            );
        }

        var others = othersFromCsr ? AlternativeNames.FromCsr(csr!) : AlternativeNames.FromRequest(fields);
        var names = new PkiHostNames(role);
        if (commonName.Length > 0)
        {
            if (!names.Allows(commonName))
            {
                throw new DevVaultRefusal(400, $"common name {commonName} not allowed by this role");
            }

            if (!fields.Flag("exclude_cn_from_sans"))
            {
                (commonName.Contains('@') ? others.Emails : others.Dns).Add(commonName);
            }
        }

        if (
            others.Dns.Concat(others.Emails).FirstOrDefault(name => name != commonName && !names.Allows(name)) is
            { } refused
        )
        {
            throw new DevVaultRefusal(400, $"subject alternate name {refused} not allowed by this role");
        }

        if (others.Addresses.Count > 0 && !role.Flag("allow_ip_sans"))
        {
            throw new DevVaultRefusal(
                400,
                "IP Subject Alternative Names are not allowed in this role, "
                    + $"but was provided via {(othersFromCsr ? "CSR" : "the API")}"
            );
        }

        var allowedUris = role.List("allowed_uri_sans");
        if (others.Uris.Any(uri => !allowedUris.Any(glob => DevVaultText.Matches(glob, uri))))
        {
            throw new DevVaultRefusal(
                400,
                (allowedUris.Count, othersFromCsr) switch
                {
                    (0, _) => "URI Subject Alternative Names are not allowed in this role, "
                        + $"but were provided via {(othersFromCsr ? "CSR" : "the API")}",
                    (_, true) =>
                        "URI Subject Alternative Names were provided via CSR which are not valid for this role",
                    _ => "URI Subject Alternative Names were provided via the API which are not valid for this role",
                }
            );
        }

        return new PkiNames(Distinguished(commonName), others.ToExtension(critical: commonName.Length == 0));
    }

    /// <summary>A subject of one common name, or the empty one.</summary>
    public static X500DistinguishedName Distinguished(string commonName)
    {
        var builder = new X500DistinguishedNameBuilder();
        if (commonName.Length > 0)
        {
            builder.AddCommonName(commonName);
        }

        return builder.Build();
    }

    private static string CommonName(X500DistinguishedName subject) =>
        subject
            .EnumerateRelativeDistinguishedNames()
            .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == "2.5.4.3")
            .Select(part => part.GetSingleElementValue() ?? "")
            .FirstOrDefault("");

    private sealed class AlternativeNames
    {
        public HashSet<string> Dns { get; } = new(StringComparer.OrdinalIgnoreCase);

        public HashSet<string> Emails { get; } = new(StringComparer.OrdinalIgnoreCase);

        public HashSet<string> Uris { get; } = new(StringComparer.Ordinal);

        public HashSet<IPAddress> Addresses { get; } = [];

        public static AlternativeNames FromRequest(DevVaultFields fields)
        {
            var names = new AlternativeNames();
            foreach (var name in fields.List("alt_names"))
            {
                (name.Contains('@') ? names.Emails : names.Dns).Add(name);
            }

            names.Uris.UnionWith(fields.List("uri_sans"));
            foreach (var text in fields.List("ip_sans"))
            {
                names.Addresses.Add(
                    IPAddress.TryParse(text, out var address) && (text.Contains(':') || text.Count(c => c == '.') == 3)
                        ? address
                        : throw new DevVaultRefusal(400, $"the value \"{text}\" is not a valid IP address")
                );
            }

            return names;
        }

        public static AlternativeNames FromCsr(CertificateRequest csr)
        {
            var names = new AlternativeNames();
            try
            {
                foreach (
                    var extension in csr.CertificateExtensions.Where(extension =>
                        extension.Oid?.Value == AlternativeNameOid
                    )
                )
                {
                    names.Read(extension.RawData);
                }
            }
            catch (Exception fault) when (fault is AsnContentException or CryptographicException or ArgumentException)
            {
                throw new DevVaultRefusal(400, $"certificate request could not be parsed: {fault.Message}");
            }

            return names;
        }

        public X509Extension? ToExtension(bool critical)
        {
            if (Dns.Count + Emails.Count + Uris.Count + Addresses.Count == 0)
            {
                return null;
            }

            var builder = new SubjectAlternativeNameBuilder();
            try
            {
                foreach (var name in Dns.Order(StringComparer.Ordinal))
                {
                    builder.AddDnsName(name);
                }

                foreach (var name in Emails.Order(StringComparer.Ordinal))
                {
                    builder.AddEmailAddress(name);
                }

                foreach (var name in Addresses)
                {
                    builder.AddIpAddress(name);
                }

                foreach (var name in Uris.Order(StringComparer.Ordinal))
                {
                    builder.AddUri(new Uri(name, UriKind.Absolute));
                }

                return builder.Build(critical);
            }
            catch (Exception fault) when (fault is FormatException or CryptographicException or ArgumentException)
            {
                throw new DevVaultRefusal(400, $"a name is not valid: {fault.Message}");
            }
        }

        /// <summary>
        /// RFC 5280 GeneralNames: [1] e-mail, [2] DNS, [6] URI, [7] IP address; others are passed over.
        /// </summary>
        private void Read(byte[] generalNames)
        {
            var sequence = new AsnReader(generalNames, AsnEncodingRules.DER).ReadSequence();
            while (sequence.HasData)
            {
                var tag = sequence.PeekTag();
                switch (tag.TagValue)
                {
                    case 1:
                        Emails.Add(sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                        break;
                    case 2:
                        Dns.Add(sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                        break;
                    case 6:
                        Uris.Add(sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                        break;
                    case 7:
                        Addresses.Add(new IPAddress(sequence.ReadOctetString(tag)));
                        break;
                    default:
                        sequence.ReadEncodedValue();
                        break;
                }
            }
        }
    }
}
