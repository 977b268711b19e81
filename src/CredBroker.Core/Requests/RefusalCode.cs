namespace CredBroker.Core.Requests;

/// <summary>
/// Why the broker said no. The number is the public code: 1001 is said as <c>CB1001</c> in problems, audit events and
/// logs, and never changes its meaning. 1xxx identity, 2xxx policy, 3xxx approval, 4xxx vault, 5xxx storage, 6xxx input,
/// 7xxx admin.
/// </summary>
public enum RefusalCode
{
    /// <summary>No bearer token was sent.</summary>
    TokenMissing = 1001,

    /// <summary>The token is no compact JWS, or not well-formed (alphabet, JSON, duplicate members, depth).</summary>
    TokenMalformed = 1002,

    /// <summary>The token exceeds the size cap.</summary>
    TokenTooLarge = 1003,

    /// <summary>The header's <c>alg</c> is not on the allow-list of this issuer or trust domain.</summary>
    AlgorithmNotAccepted = 1004,

    /// <summary>
    /// The header carries something that is never accepted: <c>crit</c>, an embedded key or key address, another
    /// <c>typ</c>.
    /// </summary>
    HeaderNotAccepted = 1005,

    /// <summary>The token's <c>iss</c> is not configured.</summary>
    IssuerUnknown = 1006,

    /// <summary>The subject's SPIFFE trust domain is not configured.</summary>
    TrustDomainUnknown = 1007,

    /// <summary>None of the issuer's or trust domain's keys fits the token's <c>kid</c> and <c>alg</c>.</summary>
    KeyUnknown = 1008,

    /// <summary>The signature does not verify.</summary>
    SignatureInvalid = 1009,

    /// <summary>The token has expired, or has no <c>exp</c>.</summary>
    TokenExpired = 1010,

    /// <summary>The token's <c>nbf</c> or <c>iat</c> lies in the future.</summary>
    TokenNotYetValid = 1011,

    /// <summary>The token's <c>aud</c> is missing, does not contain us, or (JWT-SVID) is not ours alone.</summary>
    AudienceNotAccepted = 1012,

    /// <summary>A claim that the issuer's settings require is missing or has another value.</summary>
    ClaimMissing = 1013,

    /// <summary>
    /// A claim is present that the issuer's settings forbid, or that is never accepted (<c>cnf</c>, <c>events</c>).
    /// </summary>
    ClaimForbidden = 1014,

    /// <summary>The subject is not a valid SPIFFE ID with a path, or an OIDC subject is missing.</summary>
    SubjectInvalid = 1015,

    /// <summary>The issuer's keys could not be fetched; nothing is wrong with the token as far as is known.</summary>
    KeysUnavailable = 1016,

    /// <summary>A person's token where a workload's is meant, or the other way round.</summary>
    WrongKindOfIdentity = 1017,

    /// <summary>
    /// The proof is of a kind that this broker does not take: a key-bound token with its proof of possession, or a
    /// certificate.
    /// </summary>
    ProofMethodNotAccepted = 1018,

    /// <summary>No rule allows the request (default deny).</summary>
    NoRuleAllows = 2001,

    /// <summary>A deny rule matched.</summary>
    DeniedByRule = 2002,

    /// <summary>The task names a process that the policy does not know.</summary>
    ProcessUnknown = 2003,

    /// <summary>The identity is none of the process's agents.</summary>
    ProcessNotAdmitted = 2004,

    /// <summary>Two of the process's agents admit the identity.</summary>
    AgentAmbiguous = 2005,

    /// <summary>The catalogue has no such credential.</summary>
    CredentialUnknown = 2006,

    /// <summary>A requested action is not among those that the credential offers.</summary>
    ActionNotOffered = 2007,

    /// <summary>A rule or the autonomy gate asks for a person's approval, and there is none.</summary>
    ApprovalNeeded = 2008,

    /// <summary>The autonomy gate denies a high-impact, irreversible step.</summary>
    GateDenied = 2009,

    /// <summary>No policy has been applied, so nothing can be decided.</summary>
    PolicyMissing = 2010,

    /// <summary>A rule failed to evaluate (a missing key, an overflow, the step cap); the request is denied.</summary>
    RuleFailed = 2011,

    /// <summary>
    /// The tool call's arguments do not fit the credential's schema, or there is no tool call where one is needed.
    /// </summary>
    ToolArgumentsInvalid = 2012,

    /// <summary>The task is closed; a closed task id is never reused.</summary>
    TaskClosed = 2013,

    /// <summary>The task belongs to another workload.</summary>
    TaskOwnedByAnother = 2014,

    /// <summary>A revocation that covers this request was ordered while it was under way.</summary>
    RevokedMeanwhile = 2015,

    /// <summary>Policy changed while the request was under way, more often than it is retried.</summary>
    PolicyChanging = 2016,

    /// <summary>
    /// A hold in force reaches the request: an admin, or a tripwire, refuses new issuance and renewal of this kind.
    /// </summary>
    Held = 2017,

    /// <summary>A person's approval is needed, and nobody could give it: too few may, or the process has no owner.</summary>
    NobodyToAsk = 2018,

    /// <summary>Two challenges name different executors, so that no one could redeem an approval.</summary>
    ExecutorsDiffer = 2019,

    /// <summary>A limit of the policy has no room for the request.</summary>
    LimitReached = 2020,

    /// <summary>The request's parameters are not those that the catalogue entry takes.</summary>
    ParamsInvalid = 2021,

    /// <summary>No such request for this caller, or this person.</summary>
    ApprovalNotFound = 3001,

    /// <summary>People have not decided yet.</summary>
    ApprovalPending = 3002,

    /// <summary>A person has denied the request.</summary>
    ApprovalDenied = 3003,

    /// <summary>The time in which the request could be approved and redeemed is over.</summary>
    ApprovalExpired = 3004,

    /// <summary>The approval was used already, or taken back while it was being used.</summary>
    ApprovalUsed = 3005,

    /// <summary>What would be issued now is not what was approved: the request, or what it resolves to, is another.</summary>
    ApprovalMismatch = 3006,

    /// <summary>The approval was taken back: policy changed, or what it was for was revoked.</summary>
    ApprovalVoided = 3007,

    /// <summary>As many requests as may be wait for people.</summary>
    TooManyApprovals = 3008,

    /// <summary>The request is decided, or its time is over: nothing more can be said to it.</summary>
    ApprovalOver = 3009,

    /// <summary>Nobody may approve what they asked for themselves, or own where the rule says so.</summary>
    SelfApproval = 3010,

    /// <summary>The digest is not that of the request: what the person saw is something else.</summary>
    DigestDiffers = 3011,

    /// <summary>Only the rule's executor redeems the approval, with what only it can bring.</summary>
    ExecutorOnly = 3012,

    /// <summary>No time box, or none so long, may be given with a yes to this request.</summary>
    TimeBoxNotOffered = 3013,

    /// <summary>What is asked for is nothing that people could be asked about.</summary>
    NotRequestable = 3021,

    /// <summary>The time to submit a request for this denial is over.</summary>
    DenialExpired = 3022,

    /// <summary>The request names no denial of the caller's, or is about something else than that.</summary>
    DenialBindingInvalid = 3023,

    /// <summary>The person who would agree, or take it back, is on record as gone.</summary>
    OwnerGone = 3024,

    /// <summary>
    /// The request is decided alone and in no group: what it is for cannot be undone, or misuse of it would cost much.
    /// </summary>
    DecidedAlone = 3031,

    /// <summary>The requests of the group are not about the same, so that no one card could show them.</summary>
    NotOneGroup = 3032,

    /// <summary>Vault does not answer.</summary>
    VaultUnreachable = 4001,

    /// <summary>Vault is sealed.</summary>
    VaultSealed = 4002,

    /// <summary>The Vault node is a standby that does not forward.</summary>
    VaultStandby = 4003,

    /// <summary>Vault forbids the broker what this credential needs.</summary>
    VaultForbids = 4004,

    /// <summary>Vault has no such mount, role or secret.</summary>
    VaultMissing = 4005,

    /// <summary>The backend refused to make the secret.</summary>
    MintFailed = 4006,

    /// <summary>It is not known whether a secret was made; recovery revokes what there may be.</summary>
    MintOutcomeUnknown = 4007,

    /// <summary>
    /// Issuing is paused: the broker has not recently proven that it can revoke, or its own token ends too soon.
    /// </summary>
    IssuingPaused = 4008,

    /// <summary>This kind of secret cannot be renewed, or its whole life is used up.</summary>
    NotRenewable = 4009,

    /// <summary>
    /// What Vault made is not what was asked for (names, key, lifetime, a lease where none belongs); it is not
    /// delivered, and is being revoked.
    /// </summary>
    SecretNotAsAsked = 4010,

    /// <summary>The certificate's names would be empty for this identity.</summary>
    NamesEmpty = 4011,

    /// <summary>Vault keeps the secret back until somebody approves there (a control group).</summary>
    VaultWantsApproval = 4012,

    /// <summary>The broker has nothing to log in to Vault with: its token file or secret id cannot be read.</summary>
    NoVaultLogin = 4013,

    /// <summary>The credential's backend does not answer, or as many wait for it as may: it alone is paused.</summary>
    CredentialPaused = 4014,

    /// <summary>Vault's own limit of requests is reached.</summary>
    VaultBusy = 4015,

    /// <summary>
    /// Another cluster of Vault answers than the one that the store's secrets are in: until an admin accepts it nothing is
    /// issued and no revocation confirmed.
    /// </summary>
    VaultClusterChanged = 4016,

    /// <summary>A policy of Vault's gives the secret only wrapped (<c>min_wrapping_ttl</c>), which nobody could revoke.</summary>
    VaultWantsWrapping = 4017,

    /// <summary>Vault is older than it was: it does not hold what the broker wrote there last.</summary>
    VaultBehind = 4018,

    /// <summary>
    /// Revocations at the credential's backend are behind and come first; what is asked for there had its wait for nothing.
    /// </summary>
    RevocationFirst = 4019,

    /// <summary>The store does not accept; nothing is issued without its record.</summary>
    StoreUnavailable = 5001,

    /// <summary>
    /// The broker only revokes: its store's file is gone, its disk is full, or it takes no change, or an order to revoke
    /// is not on record yet.
    /// </summary>
    RevokesOnly = 5002,

    /// <summary>
    /// An order to revoke was carried out at Vault once, and is not kept: the store takes no change, and too many orders
    /// wait for it already.
    /// </summary>
    OrderNotKept = 5003,

    /// <summary>The store is older than its anchor in Vault: it was put back, or lost its last commits.</summary>
    StoreBehind = 5004,

    /// <summary>The broker's clock and its store's are too far apart to promise an end.</summary>
    ClockDiffers = 5005,

    /// <summary>The body is no valid JSON for this call (syntax, unknown or duplicate member, wrong type).</summary>
    BodyInvalid = 6001,

    /// <summary>The body exceeds the size cap.</summary>
    BodyTooLarge = 6002,

    /// <summary>A field's value is out of bounds.</summary>
    FieldInvalid = 6003,

    /// <summary>No such lease for this caller.</summary>
    LeaseNotFound = 6004,

    /// <summary>The lease's state does not permit this.</summary>
    LeaseStateConflict = 6005,

    /// <summary>The idempotency key was used with another body.</summary>
    IdempotencyKeyReused = 6006,

    /// <summary>The first request with this idempotency key is still under way.</summary>
    IdempotencyInProgress = 6007,

    /// <summary>The secret of the first request with this key is not confirmed revoked yet.</summary>
    IdempotencyNotRevoked = 6008,

    /// <summary>The certificate signing request is missing, malformed or not acceptable.</summary>
    CsrInvalid = 6009,

    /// <summary>No such address.</summary>
    RouteUnknown = 6010,

    /// <summary>The address does not take this method.</summary>
    MethodNotAllowed = 6011,

    /// <summary>The body is not <c>application/json</c>.</summary>
    MediaTypeNotSupported = 6012,

    /// <summary>The service is at its limit; ask again later.</summary>
    Overloaded = 6013,

    /// <summary>A fault of the broker's own. Its trace id finds it in the log.</summary>
    Fault = 6999,

    /// <summary>The person's roles do not include the one this call needs.</summary>
    RoleMissing = 7001,

    /// <summary>The selector is empty or contradicts itself.</summary>
    SelectorInvalid = 7002,

    /// <summary>Revoking everything needs <c>confirm: true</c>.</summary>
    ConfirmationMissing = 7003,

    /// <summary>No such revocation.</summary>
    RevocationNotFound = 7004,

    /// <summary>The time range or cursor of an export or list is not valid.</summary>
    RangeInvalid = 7005,

    /// <summary>The selector reaches nothing that there is.</summary>
    SelectorMatchesNothing = 7006,

    /// <summary>No such hold.</summary>
    HoldNotFound = 7007,

    /// <summary>The hold is over already.</summary>
    HoldOver = 7008,

    /// <summary>As many holds as there may be are in force.</summary>
    TooManyHolds = 7009,

    /// <summary>No such policy version.</summary>
    PolicyVersionNotFound = 7010,

    /// <summary>A policy document that was to be applied has faults.</summary>
    PolicyFaulty = 7021,

    /// <summary>The policy comes from a file, and is not applied over the API.</summary>
    PolicyFromFile = 7022,

    /// <summary>A change of the policy does not say which version it is made upon.</summary>
    PolicyBaseMissing = 7023,

    /// <summary>A change of the policy was made upon another version than the one in force.</summary>
    PolicyNotAsSeen = 7024,

    /// <summary>A policy document that was to be applied was a version before.</summary>
    PolicyWasVersionBefore = 7025,

    /// <summary>The person is not on record as gone.</summary>
    OwnerNotRetired = 7026,

    /// <summary>As many people as may be are on record as gone.</summary>
    TooManyOwners = 7027,
}
