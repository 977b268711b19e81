using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Vault.Engines;

namespace CredBroker.UnitTests.Vault;

public sealed class CertificateCheckTests
{
    private static readonly DateTimeOffset Asked = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Ttl = TimeSpan.FromMinutes(5);
    private static readonly RenderedNames Names = new(
        "spiffe://acme.example/agents/triage",
        "triage.agents.example",
        null
    );
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    [Fact]
    public void What_was_asked_for_has_no_fault()
    {
        Assert.Null(FaultOf(Certify()));
        Assert.Null(FaultOf(Certify(subject: "CN=triage"), Names with { CommonName = "triage" }));
        Assert.Null(FaultOf(Certify(end: Asked + TimeSpan.FromMinutes(1))));
    }

    public static TheoryData<string> Wrongs =>
        [
            .. new[]
            {
                "key",
                "long",
                "over",
                "ca",
                "signs",
                "cn",
                "organisation",
                "missing",
                "other",
                "extra-uri",
                "extra-dns",
                "ip",
                "email",
                "twice",
                "none",
            },
        ];

    [Theory]
    [MemberData(nameof(Wrongs))]
    public void Anything_else_has_one(string wrong)
    {
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = wrong switch
        {
            "key" => Certify(otherKey),
            "long" => Certify(end: Asked + Ttl + TimeSpan.FromMinutes(1)),
            "over" => Certify(end: Asked),
            "ca" => Certify(extension: new X509BasicConstraintsExtension(true, false, 0, true)),
            "signs" => Certify(
                extension: new X509KeyUsageExtension(
                    X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign,
                    true
                )
            ),
            "cn" => Certify(subject: "CN=admin"),
            "organisation" => Certify(subject: "O=system:masters"),
            "missing" => Certify(names: builder => builder.AddUri(new Uri(Names.Uri!))),
            "other" => Certify(names: builder => Add(builder, "spiffe://acme.example/agents/other", Names.Dns!)),
            "extra-uri" => Certify(more: builder => builder.AddUri(new Uri("spiffe://acme.example/agents/other"))),
            "extra-dns" => Certify(more: builder => builder.AddDnsName("other.agents.example")),
            "ip" => Certify(more: builder => builder.AddIpAddress(IPAddress.Loopback)),
            "email" => Certify(more: builder => builder.AddEmailAddress("a@acme.example")),
            "twice" => Certify(more: builder => builder.AddUri(new Uri(Names.Uri!))),
            _ => Certify(names: _ => { }),
        };

        Assert.NotNull(FaultOf(certificate));
    }

    [Fact]
    public void A_common_name_with_more_beside_it_is_another()
    {
        var wanted = Names with { CommonName = "triage" };

        Assert.NotNull(FaultOf(Certify(subject: "CN=triage, O=acme"), wanted));
        Assert.NotNull(FaultOf(Certify(subject: "CN=triage+O=acme"), wanted));
        Assert.NotNull(FaultOf(Certify(subject: "CN=Triage"), wanted));
        Assert.NotNull(FaultOf(Certify(), wanted));
    }

    private string? FaultOf(X509Certificate2 certificate, RenderedNames? names = null)
    {
        using (certificate)
        {
            return CertificateCheck.FaultOf(certificate, names ?? Names, _key.ExportSubjectPublicKeyInfo(), Asked, Ttl);
        }
    }

    private X509Certificate2 Certify(
        ECDsa? subjectKey = null,
        string subject = "",
        DateTimeOffset? end = null,
        X509Extension? extension = null,
        Action<SubjectAlternativeNameBuilder>? names = null,
        Action<SubjectAlternativeNameBuilder>? more = null
    )
    {
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest(
            subject,
            subjectKey ?? _key,
            HashAlgorithmName.SHA256
        );
        var builder = new SubjectAlternativeNameBuilder();
        (names ?? (all => Add(all, Names.Uri!, Names.Dns!)))(builder);
        more?.Invoke(builder);
        request.CertificateExtensions.Add(builder.Build());
        if (extension is not null)
        {
            request.CertificateExtensions.Add(extension);
        }

        return request.CreateSelfSigned(Asked - TimeSpan.FromMinutes(1), end ?? Asked + Ttl);
    }

    private static void Add(SubjectAlternativeNameBuilder builder, string uri, string dns)
    {
        builder.AddUri(new Uri(uri));
        builder.AddDnsName(dns);
    }
}
