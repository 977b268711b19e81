// A certified OpenID provider on a free loopback port, with one client for the client_credentials grant. It prints "READY <issuer>" once it listens.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

// Never export the key object that generateKeyPairSync returns: Node 20 holds its mutex meanwhile, and a garbage collection that frees the generation's job
// within the export waits for the same mutex, for ever. A key object read from PEM shares no mutex with a job.
const pem = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
const jwk = (type, options, kid, alg) => {
  const { privateKey } = generateKeyPairSync(type, { ...options, ...pem });
  return { ...createPrivateKey(privateKey).export({ format: 'jwk' }), kid, alg, use: 'sig' };
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'triage-agent',
      client_secret: process.env.CLIENT_SECRET,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    }],
    jwks: {
      keys: [
        jwk('ec', { namedCurve: 'P-256' }, 'ec', 'ES256'),
        jwk('rsa', { modulusLength: 2048 }, 'rsa', 'RS256'),
        jwk('ed25519', {}, 'okp', 'EdDSA'),
      ],
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // The resource that the client names picks audience and algorithm: urn:<audience>:<alg>.
        getResourceServerInfo: (_, resource) => {
          const [, audience, alg] = resource.split(':');
          return { scope: '', audience, accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg } } };
        },
      },
    },
  });
  server.on('request', provider.callback());
  console.log(`READY ${issuer}`);
});

// The parent's end of the pipe closes when it dies, whatever it dies of.
process.stdin.resume().on('end', () => process.exit(0));
