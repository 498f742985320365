// A provider of OpenID Connect on loopback: whoever comes is signed in at once, as the account that a test says.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

export const CLIENT = { clientId: 'headwater', clientSecret: 'a secret of the provider' } as const;

type Claims = Readonly<Record<string, unknown>>;

export class OidcServer implements AsyncDisposable {
  readonly issuer: string;
  readonly #server: Server;
  /** Of whoever signs in next. */
  claims: Claims = {};
  /** What the provider is to answer to a request instead; undefined: what it does by itself. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;

  private constructor(server: Server, issuer: string) {
    this.#server = server;
    this.issuer = issuer;
  }

  static async start(redirectUrl: string): Promise<OidcServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const started = new OidcServer(server, issuer);
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: CLIENT.clientId,
          client_secret: CLIENT.clientSecret,
          redirect_uris: [redirectUrl],
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
      cookies: { keys: ['of the test'] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: () => '/sign-in' },
      ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
      pkce: { required: () => true },
      findAccount: (_: unknown, accountId: string) => ({
        accountId,
        claims: () => ({ sub: accountId, ...started.claims }),
      }),
    });
    const answer = provider.callback();
    server.on('request', (request, response) => {
      if (started.instead?.(request, response)) return;
      if (request.url === '/sign-in') void signIn(provider, request, response);
      else answer(request, response);
    });
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Nobody is asked for a password, or whether usher may know them. */
async function signIn(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { params } = await provider.interactionDetails(request, response);
  const accountId = 'account-1';
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId }, consent: { grantId: await grant.save() } };
  const next = await provider.interactionResult(request, response, result);
  response.writeHead(303, { Location: next }).end();
}
