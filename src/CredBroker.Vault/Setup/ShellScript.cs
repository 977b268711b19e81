using System.Text;
using System.Text.Json.Nodes;

namespace CredBroker.Vault.Setup;

/// <summary>
/// A plan as a script for any POSIX shell. Texts of the catalogue stand in it in single quotes only, and reach the
/// command line on its standard input; a password is read from its file, and is in no process's arguments.
/// </summary>
internal sealed class ShellScript(SetupPlan plan)
{
    private const string Functions = """
        set -eu
        LC_ALL=C
        export LC_ALL
        if [ -z "${VAULT_CLI:-}" ]; then
          if command -v bao >/dev/null 2>&1; then VAULT_CLI=bao; else VAULT_CLI=vault; fi
        fi

        # The user:password in a file, without the blanks around it.
        credential() {
          sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' <"$1"
        }

        faulty=
        check_file() {
          if [ ! -f "$1" ] || [ ! -r "$1" ]; then
            printf '%s is not there, or cannot be read.\n' "$1" >&2
            faulty=yes
            return
          fi
          case $(credential "$1") in
            *[[:cntrl:]]* | :*) ;;
            ?*:?*) return ;;
          esac
          printf '%s does not hold user:password on one line.\n' "$1" >&2
          faulty=yes
        }

        exists() {
          "$VAULT_CLI" read "$1" >/dev/null 2>&1 </dev/null
        }

        # PATH JSON
        write() {
          printf '%s' "$2" | "$VAULT_CLI" write "$1" - >/dev/null
          printf 'written: %s\n' "$1"
        }

        # NAME TEXT
        write_policy() {
          printf '%s' "$2" | "$VAULT_CLI" write "sys/policies/acl/$1" policy=- >/dev/null
          printf 'written: sys/policies/acl/%s\n' "$1"
        }

        # PATH JSON: what is there is used as it is.
        make() {
          if exists "$1"; then printf 'there:   %s\n' "$1"; else write "$1" "$2"; fi
        }

        # MOUNT PATH JSON: an authority, where the mount has none.
        make_authority() {
          if "$VAULT_CLI" list "$1/issuers" >/dev/null 2>&1 </dev/null; then printf 'there:   %s\n' "$1/issuers"; else write "$2" "$3"; fi
        }

        json_text() {
          printf '%s' "$1" | sed 's/[\\"]/\\&/g'
        }

        # PATH JSON FILE: a connection that is there keeps its administrator, whose password Vault may have rotated.
        write_connection() {
          if exists "$1"; then
            write "$1" "$2"
          else
            login=$(credential "$3")
            write "$1" "{\"username\":\"$(json_text "${login%%:*}")\",\"password\":\"$(json_text "${login#*:}")\",${2#?}"
          fi
        }

        # TOKEN-ROLE PATH: has a reaper look for a lease that there never was: it refuses a server that is unfit.
        try() {
          token=$("$VAULT_CLI" token create -role="$1" -ttl=60s -display-name="$3" -field=token </dev/null)
          BAO_TOKEN=$token VAULT_TOKEN=$token "$VAULT_CLI" read "$2" >/dev/null </dev/null
          printf '{"token":"%s"}' "$token" | "$VAULT_CLI" write auth/token/revoke - >/dev/null
          printf 'tried:   %s\n' "$2"
        }


        """;

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder(
            $"""
            #!/bin/sh
            # What the catalogue needs in Vault or OpenBao for the installation {plan.Installation}, by credbroker vault setup.
            # It needs bao or vault (or VAULT_CLI), their VAULT_ADDR, and an operator's VAULT_TOKEN. It can run again.
            # Policies, roles and connections cb-{plan.Installation}-… are written as the catalogue has them, whatever they say now:
            # look first, with --compare. Mounts, auth methods, authorities and the header are used as they are where they are there.

            """.ReplaceLineEndings("\n")
        );
        text.Append(Functions.ReplaceLineEndings("\n"));
        foreach (var file in plan.Steps.Select(step => step.CredentialFile).Where(path => path.Length > 0).Distinct())
        {
            text.Append($"check_file {SetupText.Shell(file)}\n");
        }

        text.Append("if [ -n \"$faulty\" ]; then exit 1; fi\n\n");
        foreach (var step in plan.Steps)
        {
            text.Append(Of(step)).Append('\n');
        }

        foreach (var step in plan.Steps.Where(step => step.TriedBy.Length > 0))
        {
            text.Append(
                $"try {Words(step.TriedBy, step.CredentialsPath, $"cb-{PostgresStatements.CheckedLease}")}\n\n"
            );
        }

        return text.Append(SetupRenderer.Notes(plan)).ToString();
    }

    private static string Of(SetupStep step) =>
        step.Kind switch
        {
            SetupKind.Policy => $"write_policy {Words(step.Name, step.PolicyText)}\n",
            SetupKind.CertificateAuthority => $"make_authority {Words(step.Name, step.Path, Json(step.Body))}\n",
            SetupKind.DatabaseConnection =>
                $"write_connection {Words(step.Path, SetupRenderer.Json(step.Body, indented: false), step.CredentialFile)}\n",
            SetupKind.AuditedHeader => $"# {SetupRenderer.OfTheRoot}\n"
                + $"(VAULT_NAMESPACE='' BAO_NAMESPACE='' && export VAULT_NAMESPACE BAO_NAMESPACE && make {Words(step.Path, Json(step.Body))}) ||\n"
                + $"  printf 'not made: %s, which an operator of the root namespace makes\\n' {SetupText.Shell(step.Path)} >&2\n",
            SetupKind.Mount or SetupKind.AuthMethod => $"make {Words(step.Path, Json(step.Body))}\n",
            _ => $"write {Words(step.Path, Json(step.Body))}\n",
        };

    private static string Json(JsonObject body) => SetupRenderer.Json(body);

    private static string Words(params IEnumerable<string> words) => string.Join(' ', words.Select(SetupText.Shell));
}
