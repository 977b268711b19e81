using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>Plans and leases for one identity, <c>spiffe://acme.example/agents/triage/i-1</c>.</summary>
internal static class Issuance
{
    public const string SpiffeId = "spiffe://acme.example/agents/triage/i-1";

    public static readonly WorkloadIdentity Identity = new()
    {
        Proof = ProofMethod.JwtSvid,
        Issuer = "spiffe://acme.example",
        Subject = SpiffeId,
        Workload = "triage",
        Instance = "i-1",
        SpiffeId = SpiffeId,
        TrustDomain = "acme.example",
        ProofExpiresAt = DateTimeOffset.MaxValue,
        ProofHash = "hash",
    };

    public static IssuancePlan Plan(
        CatalogueEntry entry,
        TimeSpan? ttl = null,
        WorkloadIdentity? identity = null,
        CertificateSigningRequest? csr = null
    ) =>
        new()
        {
            LeaseId = Ids.New(TimeProvider.System),
            Identity = identity ?? Identity,
            Agent = "triage",
            Task = new("t-1", "invoice-triage", "look at invoices"),
            Grant = new()
            {
                Entry = entry,
                Process = new()
                {
                    Name = "invoice-triage",
                    ToleratesRuntimeAction = true,
                    Agents = ["triage"],
                },
                Ttl = ttl ?? entry.MaxTtl,
                MaxTtl = entry.MaxTtl,
                TtlCut = false,
            },
            Csr = csr,
            Anchor = new("0192aa", 7, "c0ffee"),
        };

    /// <summary>The lease as the store would hold it.</summary>
    public static Lease Lease(IssuancePlan plan, ChildToken? child, MintOutcome.Minted? minted = null) =>
        new()
        {
            Id = plan.LeaseId,
            State = minted is null ? LeaseState.Pending : LeaseState.Active,
            Decision = new()
            {
                Id = Ids.New(TimeProvider.System),
                PolicyVersion = 1,
                Identity = plan.Identity,
                Task = plan.Task,
                Request = new() { Credential = plan.Grant.Entry.Name, Actions = ["read"] },
                Verdict = new()
                {
                    Effect = PolicyEffect.Allow,
                    PolicyHash = "",
                    Grant = plan.Grant,
                },
            },
            Accessor = child?.Accessor,
            CredentialAccessor = minted?.Handles.CredentialAccessor,
            VaultLeaseId = minted?.Handles.VaultLeaseId,
            PublicName = minted?.Handles.PublicName ?? "",
            OpenedAt = TimeProvider.System.GetUtcNow(),
            IssuanceDeadline = TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(30),
            GraceUntil = minted?.GraceUntil,
        };

    /// <summary>A request whose own names are another agent's: nothing of them may end up in the certificate.</summary>
    public static (CertificateSigningRequest Csr, ECDsa Key) NewRequest()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest(
            "CN=somebody-else,O=system:masters",
            key,
            HashAlgorithmName.SHA256
        );
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri("spiffe://acme.example/agents/somebody-else"));
        names.AddDnsName("somebody-else.agents.example");
        request.CertificateExtensions.Add(names.Build());
        return (new(request.CreateSigningRequestPem(), key.ExportSubjectPublicKeyInfo()), key);
    }
}
