// The sample's OpenID provider: one agent (client credentials), and people who log in by the device flow or a browser. It asks nobody for
// a password: whoever says "ada" is an admin, "bea" an auditor, "cy" an approver. The key is made anew at each start.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const state = process.env.STATE ?? '/state';
const issuer = process.env.ISSUER ?? 'https://idp:3000';
const roles = { ada: ['admin', 'viewer'], bea: ['auditor'], cy: ['approver', 'viewer'] };
const audiences = { 'urn:credbroker': 'credbroker', 'urn:credbroker-admin': 'credbroker-admin' };

const pem = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', ...pem });
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'billing-agent',
      client_secret: readFileSync(`${state}/idp/agent-secret`, 'utf8').trim(),
      grant_types: ['client_credentials'],
      id_token_signed_response_alg: 'ES256',
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: 'credbroker-cli',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
      redirect_uris: ['http://127.0.0.1/callback'],
    },
  ],
  jwks: { keys: [{ ...createPrivateKey(privateKey).export({ format: 'jwk' }), kid: 'sample', alg: 'ES256', use: 'sig' }] },
  cookies: { keys: [createPrivateKey(privateKey).export({ format: 'jwk' }).d] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  scopes: ['openid', 'offline_access'],
  // Which run of the agent it is: where a platform knows that (a pod's uid, a job's id), its issuer says so.
  extraTokenClaims: (_, token) => (token.kind === 'ClientCredentials'
    ? { instance: `${token.clientId}-1` }
    : { roles: roles[token.accountId] ?? [] }),
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_, client) => (client.clientId === 'billing-agent' ? 'urn:credbroker' : undefined),
      getResourceServerInfo: (_, resource) => ({
        scope: 'openid',
        audience: audiences[resource],
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
        jwt: { sign: { alg: 'ES256' } },
      }),
      useGrantedResource: () => true,
    },
  },
});

createServer({ cert: readFileSync(`${state}/idp/tls.pem`), key: readFileSync(`${state}/idp/tls.key`) }, provider.callback())
  .listen(Number(new URL(issuer).port), () => console.log(`The provider ${issuer} listens.`));
