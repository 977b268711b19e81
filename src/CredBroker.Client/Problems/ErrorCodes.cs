using System.Collections.Frozen;

namespace CredBroker.Client;

/// <summary>The table of every error code that the broker answers with.</summary>
public static class ErrorCodes
{
    /// <summary>Every code, in numerical order.</summary>
    public static IReadOnlyList<ErrorCode> All { get; } =
    [
        new("CB1001", 401, "No identity token", "Send the workload's token as \"Authorization: Bearer …\"."),
        new("CB1002", 401, "Malformed identity token", "Send one compact JWT, exactly as its issuer gave it."),
        new("CB1003", 401, "Identity token too large", "Ask the issuer for a token with fewer claims."),
        new(
            "CB1004",
            401,
            "Signature algorithm not accepted",
            "Have the issuer sign with an algorithm that the broker's settings list for it."
        ),
        new(
            "CB1005",
            401,
            "Token header not accepted",
            "Send a token without critical extensions, embedded keys or key addresses in its header."
        ),
        new(
            "CB1006",
            401,
            "Issuer not configured",
            "Use a token of an issuer that the broker trusts, or ask an admin to configure this one."
        ),
        new(
            "CB1007",
            401,
            "Trust domain not configured",
            "Use an SVID of a trust domain that the broker trusts, or ask an admin to configure this one."
        ),
        new("CB1008", 401, "Signing key unknown", "Get a fresh token; the issuer may have replaced its keys."),
        new("CB1009", 401, "Signature does not verify", "Get a fresh token from the issuer, and send it unchanged."),
        new("CB1010", 401, "Identity token expired", "Get a fresh token and ask again."),
        new("CB1011", 401, "Identity token not valid yet", "Compare the clocks of the issuer and the broker."),
        new("CB1012", 401, "Audience not accepted", "Ask the issuer for a token whose audience is this broker."),
        new(
            "CB1013",
            401,
            "Required claim missing",
            "Ask the issuer for a token with the claims that the broker's settings require."
        ),
        new(
            "CB1014",
            401,
            "Forbidden claim present",
            "Use the workload's own token; this kind of token is not taken from this issuer."
        ),
        new(
            "CB1015",
            401,
            "Subject not valid",
            "Use a token with a subject; a SPIFFE ID needs a trust domain and a path."
        ),
        new(
            "CB1016",
            503,
            "Issuer's keys not available",
            "Try again later; nothing is known to be wrong with the token."
        ),
        new(
            "CB1017",
            401,
            "Wrong kind of identity",
            "Agents' calls take workload tokens, admins' calls take people's tokens."
        ),
        new(
            "CB1018",
            401,
            "Proof method not accepted",
            "Send the workload's token as \"Authorization: Bearer …\"; key-bound tokens and certificates are not taken yet."
        ),
        new("CB2001", 403, "Not allowed by policy", "Stop, or ask for another credential or for fewer actions."),
        new("CB2002", 403, "Denied by policy", "Stop; asking again will not change the answer."),
        new("CB2003", 403, "Process unknown", "Name a registered business process."),
        new("CB2004", 403, "Not an agent of this process", "Name the process that this workload belongs to."),
        new(
            "CB2005",
            403,
            "Agent ambiguous",
            "Ask the policy's author: two agents of this process admit this identity."
        ),
        new("CB2006", 403, "Credential unknown", "Name a credential of the catalogue."),
        new("CB2007", 403, "Action not offered", "Ask only for actions that the credential offers."),
        new("CB2008", 403, "Approval needed", "Wait for the answer to your request, or stop."),
        new(
            "CB2009",
            403,
            "Not allowed without a person",
            "Stop; an irreversible step of high impact is not for an agent alone."
        ),
        new("CB2010", 503, "No policy in force", "Try again later, or ask an admin: no policy has been applied."),
        new("CB2011", 403, "Policy rule failed", "Check the tool call's arguments, or ask the policy's author."),
        new(
            "CB2012",
            403,
            "Tool arguments not valid",
            "Send the tool call, with arguments that fit the tool's schema."
        ),
        new("CB2013", 403, "Task closed", "Begin a new task with a new id."),
        new("CB2014", 403, "Task belongs to another workload", "Begin a task of your own with another id."),
        new("CB2015", 403, "Revoked meanwhile", "Stop; an admin has just revoked what this request is about."),
        new("CB2016", 503, "Policy is changing", "Ask again in a moment."),
        new("CB2017", 403, "Held", "Stop; nothing of this kind is issued or renewed until the hold is over."),
        new(
            "CB2018",
            403,
            "Nobody can approve it",
            "Stop; a person would have to approve this, and the policy leaves nobody who could."
        ),
        new(
            "CB2019",
            403,
            "Executors contradict each other",
            "Stop, and ask the policy's author: two rules leave this step to different agents."
        ),
        new(
            "CB2020",
            429,
            "Limit reached",
            "Release what is not needed any more, and ask again after the time that the answer names, if it names one."
        ),
        new(
            "CB2021",
            403,
            "The parameters do not fit the credential",
            "Send in params exactly those that GET /v1/catalogue names for it, each of the form that it says."
        ),
        new("CB3001", 404, "No such request", "Check the id; only who asked, or may decide, sees a request."),
        new("CB3002", 409, "Not decided yet", "Poll the request until it is approved, then redeem it."),
        new("CB3003", 403, "Denied by a person", "Stop, or ask for something else; the reason says why it was denied."),
        new("CB3004", 403, "Request expired", "Ask anew, without approvalId: nobody can agree to this one any more."),
        new("CB3005", 409, "Approval used up", "Ask anew, without approvalId: an approval is good for one secret."),
        new(
            "CB3006",
            409,
            "Not what was approved",
            "Send exactly the body that was approved; if you did, policy has changed: ask anew, without approvalId."
        ),
        new("CB3007", 409, "Request taken back", "Ask anew, without approvalId, if you still need it."),
        new(
            "CB3008",
            503,
            "Too many open requests",
            "Wait until people have decided some, and ask for fewer at a time."
        ),
        new("CB3009", 409, "Already decided", "Look at the request: nothing more can be said to it."),
        new("CB3010", 403, "Not yours to approve", "Leave it to another approver."),
        new("CB3011", 409, "Digest differs", "Load the request again, and decide on what it shows now."),
        new(
            "CB3012",
            403,
            "Left to another agent",
            "Only the agent that the rule names redeems it: wait for the outcome."
        ),
        new(
            "CB3013",
            400,
            "No such time box",
            "Agree with a time box no longer than the request offers, or without one."
        ),
        new("CB3021", 400, "Not requestable", "Evaluate again: only a denial with access_request leads to a request."),
        new("CB3022", 410, "Denial expired", "Evaluate again, and submit the request for the new denial."),
        new(
            "CB3023",
            400,
            "Not bound to a denial",
            "Submit exactly what was denied, with the denial's evaluation_id and expires_at; or evaluate again."
        ),
        new("CB3024", 403, "You are gone", "Leave it to somebody else, or have another admin reinstate you."),
        new("CB3031", 409, "Decided alone", "Leave it out of the group, and decide it by its own id."),
        new("CB3032", 409, "Not one group", "Decide together only what one card of the list shows; load it again."),
        new("CB4001", 503, "Vault unreachable", "Ask again later; nothing was issued."),
        new("CB4002", 503, "Vault sealed", "Ask again later; nothing is issued until Vault is unsealed."),
        new("CB4003", 503, "Vault on standby", "Ask again later; the broker needs Vault's active node."),
        new("CB4004", 502, "Vault refuses the broker", "Ask an admin to run \"credbroker vault check\"."),
        new("CB4005", 502, "Vault lacks what the credential needs", "Ask an admin to run \"credbroker vault setup\"."),
        new("CB4006", 502, "Secret could not be made", "Ask again later; if it stays, ask the credential's owner."),
        new("CB4007", 503, "Issuance outcome unknown", "Ask again later; what may have been made is being revoked."),
        new(
            "CB4008",
            503,
            "Issuing paused",
            "Ask again later; the broker issues only while it has proven that it can revoke."
        ),
        new("CB4009", 409, "Not renewable", "Ask for a new credential when this one ends."),
        new(
            "CB4010",
            502,
            "Secret not as asked",
            "Ask an admin to run \"credbroker vault check\"; what was made is being revoked."
        ),
        new(
            "CB4011",
            403,
            "Certificate would have no name",
            "Use an identity that has the fields that the certificate's names come from."
        ),
        new(
            "CB4012",
            403,
            "Vault wants an approval",
            "Ask for another credential, or have the operator take the control group off the path."
        ),
        new(
            "CB4013",
            503,
            "No Vault login",
            "Ask again later; the broker's operator has to look at the file that it logs in to Vault with."
        ),
        new(
            "CB4014",
            503,
            "Credential paused",
            "Ask again when retryAfter has passed; what makes this credential does not answer, others are issued."
        ),
        new("CB4015", 503, "Vault at its limit", "Ask again when retryAfter has passed; Vault limits its requests."),
        new(
            "CB4016",
            503,
            "Another Vault",
            "Ask again later; an admin has to say that this cluster of Vault is the right one."
        ),
        new(
            "CB4017",
            403,
            "Vault wants to wrap",
            "Ask for another credential, or have the operator take min_wrapping_ttl off the path."
        ),
        new("CB4018", 503, "Vault went back", "Ask again later; an admin has to say that this Vault is the right one."),
        new(
            "CB4019",
            503,
            "Revocation comes first",
            "Ask again when retryAfter has passed; what has ended at this credential's backend is being revoked."
        ),
        new("CB5001", 503, "Store unavailable", "Ask again later; nothing is issued without its record."),
        new("CB5002", 503, "Broker only revokes", "Ask again later; the broker's operator has to look at its store."),
        new(
            "CB5003",
            503,
            "Order carried out once and not kept",
            "Read the detail: what is left is killed by the same order given again. Give it again when the store answers, too."
        ),
        new("CB5004", 503, "Store went back", "Ask again later; an admin has to say that this store is the right one."),
        new("CB5005", 503, "Clock differs", "Ask again later; the broker's operator has to set its clock right."),
        new("CB6001", 400, "Body not valid", "Send valid JSON with the members of this call and no others."),
        new("CB6002", 413, "Body too large", "Send a smaller body."),
        new("CB6003", 400, "Field not valid", "Correct the field that the detail names."),
        new("CB6004", 404, "Lease not found", "Use the identity that the lease was issued to, and its exact id."),
        new(
            "CB6005",
            409,
            "Lease not in the right state",
            "Look at the lease's state; ask for a new credential if it is over."
        ),
        new("CB6006", 422, "Idempotency key used before", "Use a new key for another request."),
        new("CB6007", 409, "First request still under way", "Ask again with the same key in a moment."),
        new(
            "CB6008",
            503,
            "Earlier secret not revoked yet",
            "Ask again with the same key later; nothing new is made before the earlier secret is gone."
        ),
        new("CB6009", 400, "Certificate request not valid", "Send a PKCS#10 request as PEM, signed by its own key."),
        new("CB6010", 404, "No such address", "Compare the address with /openapi/v1.json."),
        new("CB6011", 405, "Method not allowed", "Compare the method with /openapi/v1.json."),
        new("CB6012", 415, "Media type not supported", "Send the body as application/json."),
        new("CB6013", 503, "Overloaded", "Ask again later."),
        new("CB6999", 500, "Fault in the broker", "Report the trace id to the broker's operator."),
        new("CB7001", 403, "Role missing", "Ask for a role that may make this call."),
        new(
            "CB7002",
            400,
            "Selector not valid",
            "Set at least one field of the selector, or everything, and not both."
        ),
        new("CB7003", 400, "Confirmation missing", "Send confirm: true if every lease is meant."),
        new("CB7004", 404, "Revocation not found", "Use the id that ordering the revocation answered with."),
        new("CB7005", 400, "Range not valid", "Send from before to, as RFC 3339 times, and a cursor as it was given."),
        new(
            "CB7006",
            404,
            "Nothing is selected",
            "Correct the name; or send allowNone: true (--allow-none) if it is meant."
        ),
        new("CB7007", 404, "Hold not found", "Use an id of \"credbroker holds list\"."),
        new("CB7008", 409, "Hold is over", "Look at \"credbroker holds list\": nothing is left to lift."),
        new("CB7009", 409, "Too many holds", "Lift holds that are not needed, or hold more by one of them."),
        new("CB7010", 404, "Policy version not found", "Use a number of \"credbroker policy versions\"."),
        new(
            "CB7021",
            422,
            "Policy document has faults",
            "Mend what it lists; \"credbroker policy lint\" finds it, too."
        ),
        new("CB7022", 409, "Policy comes from a file", "Edit the broker's policy file, or set Policy:Source to api."),
        new(
            "CB7023",
            428,
            "Version in force not named",
            "Send If-Match with the ETag of GET /v1/policy, or If-None-Match: * where there is none yet."
        ),
        new(
            "CB7024",
            412,
            "Policy has changed",
            "Load the policy in force, look at what has changed, and decide anew."
        ),
        new("CB7025", 409, "Was a version before", "Go back on purpose with \"credbroker policy rollback VERSION\"."),
        new("CB7026", 404, "Not on record as gone", "Look at the list of owners who are gone."),
        new("CB7027", 409, "Too many are gone", "Reinstate people whom no process or rule of the policy names."),
    ];

    private static readonly FrozenDictionary<string, ErrorCode> ByCode = All.ToFrozenDictionary(
        entry => entry.Code,
        StringComparer.Ordinal
    );

    /// <summary>The entry of a code, or null for one that this version does not know.</summary>
    public static ErrorCode? Find(string? code) =>
        code is not null && ByCode.TryGetValue(code, out var entry) ? entry : null;
}
