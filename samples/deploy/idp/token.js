// Writes the agent's token to a file and replaces it before it ends: what a kubelet or a SPIFFE helper does for a workload.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const state = process.env.STATE ?? '/state';
const issuer = process.env.ISSUER ?? 'https://idp:3000';
const secret = readFileSync(`${state}/agent/secret`, 'utf8').trim();

for (;;) {
  let wait = 1_000;
  try {
    const answer = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`billing-agent:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    if (!answer.ok) {
      throw new Error(`the provider answers ${answer.status} ${await answer.text()}`);
    }

    const { access_token: token, expires_in: seconds } = await answer.json();
    writeFileSync(`${state}/agent/token.new`, token, { mode: 0o644 });
    renameSync(`${state}/agent/token.new`, `${state}/agent/token`);
    wait = (seconds * 1_000) / 2;
  } catch (fault) {
    console.error(`No token yet: ${fault.cause?.message ?? fault.message}`);
  }

  await setTimeout(wait);
}
