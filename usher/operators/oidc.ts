// The door to OpenID Connect (openid-client): sends an operator to the provider, and reads who came back.

import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  fetchUserInfo,
  None,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { CodedError, reasonOf } from '../../network/errors.ts';

export interface OidcOptions {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly scope: string;
  /** Where the provider sends operators back to. */
  readonly redirectUrl: string;
}

/** What only the browser that began may end with. */
export interface Challenge {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export type Claims = Readonly<Record<string, unknown>>;

const TIMEOUT_S = 10;

export class Oidc {
  readonly #options: OidcOptions;
  #provider: Promise<Configuration> | undefined;

  constructor(options: OidcOptions) {
    this.#options = options;
  }

  /** Where the browser is to go. Throws `no_provider`. */
  async begin(): Promise<{ readonly url: URL; readonly challenge: Challenge }> {
    const { redirectUrl, scope } = this.#options;
    const challenge = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
    const url = buildAuthorizationUrl(await this.#discovered(), {
      redirect_uri: redirectUrl,
      scope,
      state: challenge.state,
      nonce: challenge.nonce,
      code_challenge: await calculatePKCECodeChallenge(challenge.verifier),
      code_challenge_method: 'S256',
    });
    return { url, challenge };
  }

  /** Who came back, with what is in the query. Throws `no_provider`, or `bad_sign_in` in words for who signs in. */
  async end(query: URLSearchParams, { state, nonce, verifier }: Challenge): Promise<Claims> {
    const provider = await this.#discovered();
    const url = new URL(this.#options.redirectUrl);
    url.search = query.toString();
    try {
      const tokens = await authorizationCodeGrant(provider, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims()!;
      // Many providers tell of the address only there.
      const hasMore = provider.serverMetadata().userinfo_endpoint !== undefined;
      const more = hasMore ? await fetchUserInfo(provider, tokens.access_token, claims.sub) : {};
      return { ...more, ...claims };
    } catch (error) {
      throw new CodedError('bad_sign_in', wordsOf(error), { cause: error });
    }
  }

  /** Asked once; a provider that does not answer is asked again by the next who signs in. */
  #discovered(): Promise<Configuration> {
    this.#provider ??= this.#discover().catch((error: unknown) => {
      this.#provider = undefined;
      const { issuer } = this.#options;
      throw new CodedError('no_provider', `${issuer} can't be asked: ${wordsOf(error)}`, { cause: error });
    });
    return this.#provider;
  }

  #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.#options;
    // The configuration allows that on this machine alone.
    const execute = issuer.startsWith('http:') ? [allowInsecureRequests] : [];
    return discovery(new URL(issuer), clientId, undefined, authentication(clientSecret), {
      execute,
      timeout: TIMEOUT_S,
    });
  }
}

type ClientAuthentication = ReturnType<typeof None>;

/** As the provider takes it; RFC 8414 2: `client_secret_basic` where it does not say. */
function authentication(secret: string | undefined): ClientAuthentication {
  if (secret === undefined) return None();
  const [post, basic] = [ClientSecretPost(secret), ClientSecretBasic(secret)];
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    (methods.includes('client_secret_post') ? post : basic)(server, client, body, headers);
  };
}

/** What went wrong, down to its cause. */
function wordsOf(error: unknown): string {
  const words: string[] = [];
  for (let at = error; at instanceof Error && words.length < 4; at = at.cause) words.push(wordsOfOne(at));
  if (words.length === 0) words.push(reasonOf(error));
  return words.join(': ');
}

/** With what the provider itself says (RFC 6749 4.1.2.1). */
function wordsOfOne(error: Error): string {
  if (!(error instanceof AuthorizationResponseError || error instanceof ResponseBodyError))
    return error.message;
  return [error.message, error.error, error.error_description].filter((word) => word).join(': ');
}
