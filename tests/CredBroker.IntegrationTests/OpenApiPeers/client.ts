// A small client on types that were generated from the broker's document: it compiles in strict mode, or the document
// says less, or other things, than a program needs.
import createClient from "openapi-fetch";
import type { components, paths } from "./types.js";

type Secret = components["schemas"]["SecretResponse"];

const client = createClient<paths>({ baseUrl: "https://broker.example" });

export async function exchange(token: string): Promise<string> {
  const { data, error } = await client.POST("/v1/credentials", {
    headers: { Authorization: `Bearer ${token}` },
    body: {
      task: { id: "task-1", process: "invoice-triage", purpose: "sort invoice 42" },
      credential: "billing-readonly",
      actions: ["read"],
      toolCall: { name: "transfer", arguments: { amount: 5, iban: "DE00" } },
    },
  });
  if (error !== undefined) {
    const wait: number = error.retryAfter ?? 0;
    // A code of the list is known to the compiler, and a newer one is a text.
    const known: components["schemas"]["ErrorCode"] = "CB2001";
    return `${error.code === known ? "denied" : error.code} ${error.detail} ${wait}`;
  }

  if ("approvalId" in data) {
    return data.approvalId;
  }

  const version: number = data.decision.policyVersion;
  return `${version} ${login(data.secret)}`;
}

// Each kind is told by its type, and there is no other.
function login(secret: Secret): string {
  switch (secret.type) {
    case "database":
      return secret.username + secret.password;
    case "pki":
      return secret.certificate + secret.chain.join("");
    case "token":
      return secret.token;
    case "kv":
      return String(secret.data["key"]);
    case "dynamic":
      return Object.keys(secret.data).join();
    default: {
      const none: never = secret;
      return none;
    }
  }
}

export async function leases(token: string): Promise<number> {
  const { data } = await client.GET("/v1/leases", {
    headers: { Authorization: `Bearer ${token}` },
    params: { query: { limit: 10 } },
  });
  return data?.leases.length ?? 0;
}
