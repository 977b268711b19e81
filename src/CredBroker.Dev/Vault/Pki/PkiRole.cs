using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Pki;

/// <summary>
/// A PKI role's settings, with Vault's own defaults: they take a certificate's names from the CSR, and only settings
/// that say otherwise make that safe.
/// </summary>
internal static class PkiRole
{
    private static readonly JsonObject Defaults = JsonNode
        .Parse(
            """
            {"allow_any_name":false,"allow_bare_domains":false,"allow_glob_domains":false,
             "allow_globs_in_identity_templates":false,"allow_ip_sans":true,"allow_localhost":true,
             "allow_subdomains":false,"allow_token_displayname":false,
             "allow_wildcard_certificates":true,"allowed_domains":[],"allowed_domains_template":false,
             "allowed_ip_sans_cidr":[],"allowed_other_sans":[],
             "allowed_serial_numbers":[],"allowed_uri_sans":[],"allowed_uri_sans_template":false,"allowed_user_ids":[],
             "basic_constraints_valid_for_non_ca":false,"client_flag":true,
             "cn_validations":["email","hostname"],"code_signing_flag":false,"country":[],
             "email_protection_flag":false,"enforce_hostnames":true,
             "ext_key_usage":[],"ext_key_usage_oids":[],"generate_lease":false,"issuer_ref":"default","key_bits":0,
             "key_type":"rsa","key_usage":["DigitalSignature","KeyAgreement","KeyEncipherment"],
             "locality":[],"max_ttl":0,"no_store":false,"not_after":"",
             "not_after_bound":"permit","not_before":"","not_before_bound":"permit",
             "not_before_duration":30,"organization":[],"ou":[],"policy_identifiers":[],"postal_code":[],
             "province":[],"require_cn":true,"server_flag":true,"signature_bits":0,
             "street_address":[],"ttl":0,"use_csr_common_name":true,"use_csr_sans":true,"use_pss":false}
            """
        )!
        .AsObject();

    /// <summary>
    /// Settings that would change a certificate in a way that DevVault does not make; refused, never ignored.
    /// </summary>
    private static readonly string[] NotServed =
    [
        "allowed_domains_template",
        "allowed_uri_sans_template",
        "allow_globs_in_identity_templates",
        "allowed_ip_sans_cidr",
        "allowed_other_sans",
        "allowed_user_ids",
        "allowed_serial_numbers",
        "basic_constraints_valid_for_non_ca",
        "code_signing_flag",
        "country",
        "email_protection_flag",
        "ext_key_usage",
        "ext_key_usage_oids",
        "locality",
        "no_store",
        "not_after",
        "not_before",
        "organization",
        "ou",
        "policy_identifiers",
        "postal_code",
        "province",
        "street_address",
        "use_pss",
        "allow_token_displayname",
    ];

    /// <summary>Reads a role as it is written; as in Vault, a write replaces the whole role.</summary>
    public static RoleSettings Read(DevVaultFields fields)
    {
        var role = RoleSettings.Read(Defaults, fields);
        if (role.Text("key_type") is not ("rsa" or "ec" or "any"))
        {
            throw new DevVaultRefusal(
                400,
                $"this development Vault makes rsa and ec keys, not \"{role.Text("key_type")}\""
            );
        }

        if (NotServed.FirstOrDefault(name => !JsonNode.DeepEquals(role.ToJson()[name], Defaults[name])) is { } name)
        {
            throw new DevVaultRefusal(400, $"this development Vault does not serve the PKI role setting \"{name}\"");
        }

        var (ttl, maximum) = (role.Duration("ttl"), role.Duration("max_ttl"));
        if (maximum > TimeSpan.Zero && ttl > maximum)
        {
            throw new DevVaultRefusal(400, "\"ttl\" value must be less than \"max_ttl\" value");
        }

        var bits = role.Number("key_bits") is > 0 and var given
            ? given
            : role.Text("key_type") switch
            {
                "rsa" => 2048,
                "ec" => 256,
                _ => 0,
            };
        return RoleSettings.Read(Defaults, new DevVaultFields(new JsonObject { ["key_bits"] = bits }), role);
    }

    /// <summary>
    /// The certificate's life: what is asked for, else the role's, else the default; never over the role's maximum, nor
    /// (without one) the mount's.
    /// </summary>
    public static TimeSpan Ttl(DevVaultFields fields, RoleSettings role, TimeSpan mountMaximum, List<string> warnings)
    {
        var asked = (Wished: fields.Duration("ttl"), Role: role.Duration("ttl")) switch
        {
            { Wished.Ticks: > 0 } given => given.Wished,
            { Role.Ticks: > 0 } given => given.Role,
            _ => DevVaultDuration.SystemMaximum,
        };
        var maximum =
            role.Duration("max_ttl") is var limit && limit > TimeSpan.Zero && limit < mountMaximum
                ? limit
                : mountMaximum;
        if (asked <= maximum)
        {
            return asked;
        }

        warnings.Add(
            $"TTL \"{DevVaultDuration.ToText(asked)}\" is longer than permitted maxTTL \"{DevVaultDuration.ToText(maximum)}\", so maxTTL is being used"
        );
        return maximum;
    }
}
