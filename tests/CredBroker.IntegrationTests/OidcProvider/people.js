// A certified OpenID provider for people on a free loopback port, with one public native client. It prints "READY <issuer>" once it listens.
// Whoever logs in as "ada" is an admin in the group "finance", "bea" is an approver in "leads"; everybody else has no role.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

// As in provider.js: a key object read from PEM shares no mutex with the job that made the key.
const pem = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', ...pem });

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'credbroker-cli',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
      redirect_uris: ['http://127.0.0.1/callback'],
    }],
    jwks: { keys: [{ ...createPrivateKey(privateKey).export({ format: 'jwk' }), kid: 'ec', alg: 'ES256', use: 'sig' }] },
    cookies: { keys: ['a-key-of-this-test-alone'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    scopes: ['openid', 'offline_access'],
    extraTokenClaims: (_, token) => ({
      ada: { roles: ['admin'], groups: ['finance'] },
      bea: { roles: ['approver'], groups: ['leads'] },
    }[token.accountId] ?? {}),
    features: {
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'openid',
          audience: resource.split(':')[1],
          accessTokenFormat: 'jwt',
          accessTokenTTL: Number(process.env.ACCESS_TOKEN_SECONDS ?? 300),
          jwt: { sign: { alg: 'ES256' } },
        }),
        useGrantedResource: () => true,
      },
    },
  });
  server.on('request', provider.callback());
  console.log(`READY ${issuer}`);
});

// The parent's end of the pipe closes when it dies, whatever it dies of.
process.stdin.resume().on('end', () => process.exit(0));
